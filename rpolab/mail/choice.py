"""Chooses where a run's mail comes from: a profile, an archive, a tracking log, or counted logs."""

from rpolab.laboratory.own_parts import made
from rpolab.mail.profiled import ProfiledMail
from rpolab.mail.replayed import ArchivedMail, LoggedMail
from rpolab.mail.source import MailSource
from scenarios import OwnWorkload, Scenario


def mail_source(scenario: Scenario) -> MailSource:
    """Read the files of the scenario's workload.

    Raises:
        WorkloadFileError: a file cannot be used; it says where and why.
        OSError: a file cannot be read; it names the file.
    """
    try:
        return _source_of(scenario)
    except OSError as error:
        if error.filename is None:  # reading an open file says no name
            error.filename = str(scenario.workload_path)
        raise


def _source_of(scenario: Scenario) -> MailSource:
    if isinstance(scenario.workload, OwnWorkload):
        source: MailSource = made("workload", scenario.workload, OwnWorkload, scenario)
        return source
    if scenario.mbox_path is not None:
        return ArchivedMail(scenario, scenario.mbox_path)
    if scenario.tracking_log_path is not None:
        return LoggedMail(scenario, scenario.tracking_log_path)
    return ProfiledMail(scenario)
