"""The house's own laws: doors, the table of moves, settings and commands named in the README, migrations, examples."""

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from fastapi.routing import iter_route_contexts
from sqlalchemy import create_engine

from app import cli
from app.domain.people import Role
from app.domain.workflow import MOVES, Event, Facts, Maker, State, choose_move, lines_of
from app.errors import AppError
from app.life import diagram
from app.main import create_app
from app.records.tables import metadata
from app.schema import compared, config
from app.settings import ROOT
from app.web.access import DOORS
from tests.conftest import TODAY, settings_for

README = (ROOT / "README.md").read_text("utf-8")


def test_every_route_has_a_door_and_every_door_a_route(tmp_path: Path) -> None:
    app = create_app(settings_for(f"sqlite:///{tmp_path}/a.db", tmp_path))
    routes = {
        f"{method} {route.path}"
        for route in iter_route_contexts(app.routes)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes - {"GET /api/v1/openapi.json"} == set(DOORS) - {"GET /api/v1/openapi.json"}


def test_only_the_listed_moves_are_possible() -> None:
    everything_holds = Facts(today=TODAY, returned_by_screening=True, final_accepted=True)
    possible = set()
    for state in State:
        for event in Event:
            for role in Role:
                try:
                    choose_move(state, event, role, everything_holds)
                except AppError:
                    continue
                possible.add((state, event, role))
    expected = {
        (source, move.event, role)
        for move in MOVES
        if move.maker is Maker.REQUEST
        for source in move.sources
        for role in move.roles
    }
    assert possible == expected


def test_every_event_has_a_line_and_a_step_has_only_one() -> None:
    steps = [(source, move.event) for move in MOVES for source in move.sources]
    assert len(steps) == len(set(steps))
    assert all(lines_of(event) for event in Event)


def test_the_readme_shows_the_diagram_of_the_table() -> None:
    assert diagram() in README


def test_the_readme_names_every_setting_and_command() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "app").rglob("*.py"))
    for name in set(re.findall(r"EARMARK_[A-Z_]+", code)):
        assert f"`{name}`" in README, name
    for command in [*cli.cli.registered_commands, *cli.rulebook.registered_commands]:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert name in README, name


def test_the_readme_names_every_dependency() -> None:
    listed = re.findall(r'^    "([a-z-]+)', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    table = README[README.index("## Dependencies") :]
    for name in listed:
        if not name.startswith("app"):
            assert name in table, name


@pytest.mark.parametrize("number", [1])
def test_migrations_have_one_head(number: int) -> None:
    assert len(ScriptDirectory.from_config(config()).get_heads()) == number


def test_migrations_make_exactly_the_tables(database_url: str) -> None:
    engine = create_engine(database_url)
    with engine.connect() as connection:
        kept = {"include_object": compared} if connection.dialect.name == "sqlite" else {}
        assert compare_metadata(MigrationContext.configure(connection, opts=kept), metadata) == []
    engine.dispose()


def test_no_address_of_a_registry_and_no_path_of_a_machine_is_committed() -> None:
    for path in ROOT.glob("requirements*.txt"):
        assert "://" not in path.read_text("utf-8"), path
