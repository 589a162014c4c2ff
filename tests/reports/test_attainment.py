from reports import Exceedance, Verdict
from reports.attainment import attainments, runs_to_tell


def test_a_cell_attains_a_share_when_so_many_of_its_runs_met(sample):
    [missed, other] = sample.result().thresholds
    met = missed.model_copy(update={"verdict": Verdict.MET})
    runs = tuple(
        sample.result(seed=seed, thresholds=(missed if seed == 3 else met, other))
        for seed in range(20)
    )
    study = sample.study(sample.cell("link.bandwidth=2 Mbit/s", runs=runs))
    together, of_rpo, of_loss = attainments(study)
    assert together.target == ""
    assert (of_rpo.target, of_rpo.cells[0].met) == ("cdp.rpo max < 60 s", 19)
    assert of_rpo.meeting(95) == ["link.bandwidth=2 Mbit/s"]
    assert of_rpo.meeting(99) == []
    assert of_loss.meeting(90) == []


def test_the_share_of_time_within_the_limit_is_that_of_the_curve(sample):
    [threshold, _] = sample.result().thresholds
    [protection] = sample.result().protections
    above = Exceedance(
        consistency="any", limit_s=60, count=1, total_s=900, longest_s=900, peak_s=960, share=0.25
    )
    kept = protection.model_copy(update={"exceedances": (above,)})
    run = sample.result(
        thresholds=(threshold.model_copy(update={"limit": 60.0}),), protections=(kept,)
    )
    other = sample.result(seed=8, thresholds=sample.result().thresholds)
    study = sample.study(sample.cell("", runs=(run, other)))
    _, of_rpo, of_loss = attainments(study)
    assert of_rpo.cells[0].within == 0.75
    assert of_loss.cells[0].within is None


def test_one_miss_is_less_than_a_hundredth_only_of_a_hundred_runs():
    assert [runs_to_tell(share) for share in (100, 99, 95, 90)] == [1, 100, 20, 10]
