from reports import Exceedance, Loss
from reports.terminal import render_text
from reports.violations import violation_sentences


def exceeding(sample, limit_s, count):
    item = Exceedance(
        consistency="any", limit_s=limit_s, count=count, total_s=900, longest_s=600, peak_s=960,
        share=0.25,
    )  # fmt: skip
    [protection] = sample.result().protections
    return protection.model_copy(update={"exceedances": (item,)})


def limited(sample, protection, limit_s):
    [threshold, _] = sample.result().thresholds
    own = threshold.model_copy(update={"limit": limit_s})
    return sample.result(thresholds=(own,), protections=(protection,))


def test_only_the_scenarios_own_limits_are_told_and_only_when_exceeded(sample):
    for limit_s, count, told in ((60.0, 3, 1), (60.0, 0, 0), (15.0, 3, 0)):
        protection = exceeding(sample, limit_s, count)
        sentences = list(violation_sentences(limited(sample, protection, 60.0), protection))
        assert len(sentences) == told
    protection = exceeding(sample, 60.0, 3)
    [sentence] = violation_sentences(limited(sample, protection, 60.0), protection)
    assert sentence == (
        "rpo was above 1 min 3 times, 15 min in all (25.0% of the time), 10 min the longest."
    )


def test_the_terminal_tells_them_and_where_the_lost_mail_was_and_whose_it_was(sample):
    protection = exceeding(sample, 60.0, 1)
    text = " ".join(render_text(limited(sample, protection, 60.0)).split())
    assert "rpo was above 1 min once, 15 min in all" in text
    assert "Where they were: pool 3 (6.87 KiB)." in text
    assert "Most lost" not in text


def test_of_many_lost_messages_the_terminal_tells_who_lost_most(sample):
    messages = tuple(sample.lost_message(number % 4) for number in range(14))
    recovery = sample.disaster(lost=Loss(messages=14, bytes=1), lost_messages_list=messages)
    text = " ".join(render_text(sample.result(recovery)).split())
    assert "Where they were: pool 14 (32.1 KiB)." in text
    assert "Most lost: user0@example.com 4, user1@example.com 4, user2@example.com 3." in text
