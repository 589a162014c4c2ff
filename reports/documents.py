"""Reads what was published: the result of a run, or the study of many; and their schemas."""

import json
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from reports.model import RESULT_VERSION, Result
from reports.records import Record
from reports.study import STUDY_KIND, STUDY_VERSION, Study

Document = TypeVar("Document", bound=Record)
_WRITTEN_BY = "it is written by `rpolab run --json`"


class ResultError(ValueError):
    """A file is not a result, or a study, that this version can read."""

    def __init__(self, file: str, message: str, hint: str) -> None:
        self.hint = hint
        super().__init__(f"{file}: {message} ({hint})")


def load_document(path: Path) -> Result | Study:
    """Reads what `rpolab run --json` has written: a result, or a study.

    Raises:
        ResultError: as `document_from_json`, and when the file cannot be read.
    """
    return document_from_json(_content(path), str(path))


def load_result(path: Path) -> Result:
    """Reads a result file.

    Raises:
        ResultError: as `result_from_json`, and when the file cannot be read.
    """
    return result_from_json(_content(path), str(path))


def document_from_json(text: str | bytes, file: str = "result") -> Result | Study:
    """Reads a published document.

    Raises:
        ResultError: not JSON, another version, or a field that is missing, unknown or wrong.
    """
    document = _decoded(text, file)
    if _kind(document) != STUDY_KIND:
        return _result(document, file)
    if document.get("version") != STUDY_VERSION:
        raise ResultError(file, f"this is no study of version {STUDY_VERSION}", _WRITTEN_BY)
    return _valid(Study, document, file)


def result_from_json(text: str | bytes, file: str = "result") -> Result:
    """Reads the published document of one run.

    Raises:
        ResultError: as `document_from_json`, and when it is a study.
    """
    return _result(_decoded(text, file), file)


def result_schema() -> dict[str, Any]:
    """The JSON Schema of the document of one run."""
    return _schema(Result, "rpolab result")


def study_schema() -> dict[str, Any]:
    """The JSON Schema of the document of a study."""
    return _schema(Study, "rpolab study")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        message = f"the file cannot be read: {error.strerror or error}"
        raise ResultError(str(path), message, "name a file written by --json") from None


def _decoded(text: str | bytes, file: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ResultError(file, f"this is not JSON: {error}", "write it with --json") from None


def _kind(document: Any) -> Any:
    return document.get("kind") if isinstance(document, dict) else None


def _result(document: Any, file: str) -> Result:
    if _kind(document) == STUDY_KIND:
        message = "this is a study of several runs, where the result of one is expected"
        raise ResultError(file, message, "run with --set replications=1 and without 'vary'")
    version = document.get("version") if isinstance(document, dict) else None
    if version != RESULT_VERSION:
        raise ResultError(file, f"this is no result of version {RESULT_VERSION}", _WRITTEN_BY)
    return _valid(Result, document, file)


def _valid(model: type[Document], document: Any, file: str) -> Document:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(step) for step in first["loc"])
        message = f"{error.error_count()} field(s) are wrong, first {place}: {first['msg']}"
        raise ResultError(file, message, "the file was changed, or is of another version") from None


def _schema(model: type[Record], title: str) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    schema["title"] = title
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
