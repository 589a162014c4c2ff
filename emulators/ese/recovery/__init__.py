"""Databases that are not mounted: soft recovery, and opening what it made clean.

What damage is found, and by which error:

* a flipped bit in a page, a page torn between two versions, swapped pages or a page that was
  written to another place: -1018 when recovery reads the page, -1206 from `eseutil /k`, which
  reads them all;
* a page that was never written: -1019; a file that was cut off: -1206;
* one damaged copy of the database header: made good by the other; both: -1206;
* one damaged copy of the checkpoint: made good; both: -533, and recovery starts at the oldest log;
* a damaged header of a log, a flipped bit, or a lost, zeroed or doubled sector in it: -501, or
  -586 where no page can rest on that log; logs below the checkpoint are not looked at;
* a log of another group: -530; of another life of the same stream: -515, or -582 where no page can
  rest on it; of another version: -514, of another size: -541;
* a page write that the disk lost, where a log to be replayed has a record for that page: redone,
  or -566 or -567; a record that has no place on its page: -500.

What real ESE of 2003 and 2007 cannot see either, and this engine does not pretend to see:

* a page write that was lost although no log covers it any more: the older version is as whole as
  the newer one was. Its rows are missing without any error; where their pages are needed to get at
  others, reading fails;
* damage to the last flush of the newest log: on disk it is what a power cut leaves, so recovery
  ends before it and says so (event 462);
* two sectors of one flush of a log that changed places, or any other change that leaves the XOR
  of the words of that flush as it was: a lost sector within a run of zeros is one;
* a page of the same number of another database, or of an older copy of this one, that no log
  covers: a page names neither its database nor its neighbours' ages;
* logs of another life of the stream that all lie above the waypoint: no page can rest on them, and
  they are a possible continuation. The creation time of the newest log, which the database header
  notes, tells them apart as long as the header is the newer one;
* a log in which two lives of the stream part, as both began it with one header: only the page
  times of its records tell (-566, -567), or that they need a page that never was (-1019) or do not
  fit (-500). The checksum of the log before, which tells them apart, came after 2007 (-590).
"""
