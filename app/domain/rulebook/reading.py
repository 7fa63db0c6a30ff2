"""From a YAML source to a checked model: every misspelt, missing or wrong key is a mistake with its place."""

import copy
import difflib
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from app.domain.rulebook.yamlmap import Path, Source
from app.faults import did_you_mean

_ROUNDS = 20
M = TypeVar("M", bound=BaseModel)


def read_model(source: Source, model: type[M]) -> M | None:
    """The file as `model`, with every mistake noted in `source`; None when too little of it is left to go on with.

    So that one mistake does not hide the next, a misspelt key is read as the one that was meant, another unknown key is
    left out, and an item of a list that cannot be read is left out and remembered in `source.pruned`.
    """
    if source.data is None:
        if not source.mistakes:
            source.mistake((), "the file is empty")
        return None
    data = copy.deepcopy(source.data)
    for _ in range(_ROUNDS):
        try:
            return model.model_validate(data, strict=False)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            if not _repair(source, model, data, found):
                return None
    return None


def _repair(source: Source, model: type[BaseModel], data: Any, found: list[Any]) -> bool:
    """Note the mistakes and mend the data as far as that goes: unknown keys first, whole items only when none is left."""
    unknown = [item for item in found if item["type"] == "extra_forbidden"]
    for item in unknown:
        path = _real_path(source, item["loc"])
        known = _keys_at(model, path[:-1])
        source.mistake(path, f"unknown key '{path[-1]}'{did_you_mean(str(path[-1]), known)}", at_key=True)
        place = _at(data, path[:-1])
        value, meant = place.pop(path[-1]), difflib.get_close_matches(str(path[-1]), known, 1)
        if meant and meant[0] not in place:
            place[meant[0]] = value
            source.rename(path, meant[0])
    if unknown:
        return True
    items = {_item_of(_note(source, item)) for item in found}
    if () in items:
        return False
    outer = {one for one in items if not any(one[:end] in items for end in range(len(one)))}
    for path in sorted(outer, reverse=True, key=lambda one: (*map(str, one[:-1]), f"{one[-1]:09}")):
        del _at(data, path[:-1])[path[-1]]
        source.prune(path)
    return True


def _item_of(path: Path) -> Path:
    """The nearest list item around a place, () when there is none."""
    while path and not isinstance(path[-1], int):
        path = path[:-1]
    return path


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _note(source: Source, item: Any) -> Path:
    path = _real_path(source, item["loc"])
    if item["type"] == "missing":
        source.mistake(path[:-1], f"the key '{item['loc'][-1]}' is missing")
    else:
        source.mistake(path, item["msg"][0].lower() + item["msg"][1:])
    return path


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
