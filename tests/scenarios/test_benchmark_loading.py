import pytest
from ruamel.yaml import YAML

from scenarios import check_text, library_path

TEXT = library_path("site-loss").read_text(encoding="utf-8")


@pytest.mark.benchmark(group="reading a scenario")
def test_floor_the_yaml_parser_alone(benchmark):
    assert benchmark(lambda: sum(1 for _ in YAML(typ="safe", pure=True).parse(TEXT))) > 100


@pytest.mark.benchmark(group="reading a scenario")
def test_reading_and_checking_everything(benchmark):
    assert benchmark(lambda: check_text(TEXT)).scenario is not None
