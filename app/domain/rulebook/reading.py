"""From a YAML source to a checked model: every misspelt, missing or wrong key is a mistake with its place."""

from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from app.domain.rulebook.yamlmap import Path, Source
from app.faults import did_you_mean

M = TypeVar("M", bound=BaseModel)


def read_model(source: Source, model: type[M]) -> M | None:
    """The file as `model`, or None with the mistakes noted in `source`."""
    if source.data is None:
        if not source.mistakes:
            source.mistake((), "the file is empty")
        return None
    try:
        return model.model_validate(source.data, strict=False)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            _note(source, model, item)
        return None


def _note(source: Source, model: type[BaseModel], item: Any) -> None:
    path = _real_path(source, item["loc"])
    if item["type"] == "extra_forbidden":
        known = _keys_at(model, path[:-1])
        source.mistake(path, f"unknown key '{path[-1]}'{did_you_mean(str(path[-1]), known)}", at_key=True)
    elif item["type"] == "missing":
        source.mistake(path[:-1], f"the key '{item['loc'][-1]}' is missing")
    else:
        source.mistake(path, item["msg"][0].lower() + item["msg"][1:])


def _real_path(source: Source, loc: Path) -> Path:
    """Pydantic's location without the marks it adds for unions and keys."""
    path: Path = ()
    for step in loc:
        if (*path, step) in source.values or step == loc[-1]:
            path = (*path, step)
    return path


def _keys_at(model: type[BaseModel] | None, path: Path) -> list[str]:
    for step in path:
        if isinstance(step, str) and model is not None:
            field = model.model_fields.get(step)
            model = _model_in(field.annotation) if field else None
    return list(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
