"""The configuration: what it takes, what it refuses, and in which words."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from sevtracker.config import (
    Command,
    Identity,
    Settings,
    format_duration,
    load_settings,
    parse_duration,
    parse_host_pattern,
    require_secret_key,
    resolve_secret,
)
from sevtracker.config.settings import Reserved
from sevtracker.errors import ConfigError

EXAMPLE = Path(__file__).parents[1] / "config.example.toml"
DIALECTS = Path(__file__).parents[1] / "docs" / "checks" / "dialects.example.toml"
CANARY = "hunter2-canary-secret"
POSTGRES = f"postgresql+psycopg://app:{CANARY}@db1:5432/sev"


@pytest.fixture(autouse=True)
def _somewhere_without_a_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def loaded(toml: str = "", **environ: str) -> Settings:
    file = Path("config.toml")
    file.write_text(toml)
    return load_settings(environ)


def refused(toml: str = "", **environ: str) -> str:
    with pytest.raises(ConfigError) as error:
        loaded(toml, **environ)
    assert CANARY not in str(error.value)
    return str(error.value)


# --- Where it comes from ---------------------------------------------------------------------------------------------


def test_without_a_file_the_defaults_apply() -> None:
    assert load_settings({}) == Settings()


def test_a_config_toml_in_the_working_directory_is_read() -> None:
    assert loaded("[server]\nport = 9000").server.port == 9000


def test_the_file_named_by_the_variable_is_read_instead() -> None:
    Path("other.toml").write_text("[server]\nport = 9001")
    assert loaded("[server]\nport = 9000", SEVTRACKER_CONFIG="other.toml").server.port == 9001


def test_a_named_file_that_is_missing_is_an_error() -> None:
    assert "nowhere.toml: expected a configuration file, named by SEVTRACKER_CONFIG" in refused(
        SEVTRACKER_CONFIG="nowhere.toml"
    )
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_settings({}, Path("nowhere.toml"))


def test_a_file_that_is_not_toml_is_named_with_the_line() -> None:
    assert re.match(r"config\.toml: expected TOML: .*line 2", refused("[server]\nport = = 1"))


def test_the_environment_wins_over_the_file() -> None:
    assert loaded("[server]\nport = 9000", SEVTRACKER_SERVER__PORT="9002").server.port == 9002


def test_port_alone_is_honoured_unless_the_full_name_is_there() -> None:
    assert loaded("[server]\nport = 9000", PORT="9003").server.port == 9003
    assert loaded(PORT="9003", SEVTRACKER_SERVER__PORT="9004").server.port == 9004
    assert loaded(PORT="").server.port == 8000


def test_lists_and_tables_come_from_the_environment_as_json() -> None:
    settings = loaded(
        SEVTRACKER_TARGETS__ALLOW='["db1:5432"]',
        SEVTRACKER_POLICY__WATCH='[{"every": "1h", "for": "2h"}, {"every": "1d"}]',
    )
    assert settings.targets.allow == ("db1:5432",)
    assert [step.every for step in settings.policy.watch] == [timedelta(hours=1), timedelta(days=1)]


def test_an_identity_with_dashes_can_be_completed_from_the_environment() -> None:
    settings = loaded(
        '[identities.any-employee]\nclass = "staff"\nhosts = ["db1:5432"]',
        SEVTRACKER_IDENTITIES__ANY_EMPLOYEE__PASSWORD="env:PW",
    )
    assert settings.identities["any-employee"].password == "env:PW"


def test_folders_and_commands_can_come_from_the_environment() -> None:
    settings = loaded(
        '[commands.vault-door]\nargv = ["/bin/a"]',
        SEVTRACKER_TARGETS__PATHS='["/srv/data"]',
        SEVTRACKER_COMMANDS__VAULT_DOOR__ARGV='["/bin/b", "-v"]',
        SEVTRACKER_COMMANDS__VAULT_DOOR__CREDENTIALS="true",
    )
    assert settings.targets.paths == ("/srv/data",)
    assert settings.commands == {"vault-door": Command(argv=("/bin/b", "-v"), credentials=True)}


# --- What it says when something is wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("toml", "expected"),
    [
        ("[server]\nprot = 1", "config.toml: server.prot: unknown key; did you mean port?"),
        ("[srever]\nport = 1", "config.toml: srever: unknown key; did you mean server?"),
        ("[server]\nport = 'many'", "config.toml: server.port: expected a valid integer"),
        ("[server]\nport = 70000", "config.toml: server.port: expected less than or equal to 65535"),
        ("server = 1", "config.toml: server: expected a table"),
        ("[server]\nbase_url = 'https://x.example/sev'", "server.base_url: expected scheme, host and port only"),
        ("[server]\nsecret_key = 'short'", "server.secret_key: expected at least 16 characters"),
        ("[server]\nmax_body = 'big'", "server.max_body: expected a size"),
        ("[database]\nurl = 'mysql://x/y'", "database.url: expected sqlite:///PATH or postgresql+psycopg://"),
        ("[database]\nurl = 'sqlite://'", "database.url: expected sqlite:///PATH"),
        ("[database]\nurl = 'postgresql+psycopg://h:x/y'", "database.url: expected sqlite:///PATH"),
        ("[auth]\nmode = 'oidc'", 'auth.mode: "oidc" is reserved and not available in this version'),
        ("[auth]\nmode = 'none'", "auth.mode: expected 'local'"),
        ("[policy.SEV1]\ninterval = '10 min'", "policy.SEV1.interval: expected a duration such as 90s, 5m"),
        ("[policy.SEV1]\ninterval = 10", "policy.SEV1.interval: expected a duration in quotes with its unit"),
        ("[policy.SEV1]\ninterval = '0s'", "policy.SEV1.interval: expected a duration of more than 0s"),
        ("[policy.SEV1]\nconsecutive = 0", "policy.SEV1.consecutive: expected greater than or equal to 1"),
        ("[policy.SEV9]\nsoak = '1h'", "policy.SEV9: unknown key; did you mean SEV"),
        ("[policy]\nspacing_factor = 0", "policy.spacing_factor: expected greater than 0"),
        ("[policy]\nafter_patch = ['10m', '5m']", "policy.after_patch: expected rising times"),
        ("[policy]\nwatch = [{every='1h'}, {every='1d'}]", 'policy.watch: expected "for" in every step but the last'),
        ("[policy]\nwatch = [{evry='1h'}]", "policy.watch[0].evry: unknown key; did you mean every?"),
        ("[policy]\nwatch = []", "policy.watch: expected at least 1 item"),
        ("[policy]\nretry_first = '1h'", "policy: retry_max: expected at least retry_first"),
        ("[targets]\nallow = ['db1']", "targets.allow[0]: expected host:port"),
        ("[targets]\nallow = 'db1:1'", "targets.allow: expected a list"),
        ("[targets]\npaths = ['srv/data']", "targets.paths[0]: expected an absolute path"),
        ("[targets]\npaths = ['/srv/data/']", "targets.paths[0]: expected an absolute path"),
        ("[targets]\npaths = ['/srv/../etc']", "targets.paths[0]: expected an absolute path"),
        ("[targets]\npaths = '/srv'", "targets.paths: expected a list"),
        ("[commands.x]\nargs = '.'", "commands.x.argv: missing; this key is required"),
        ("[commands.x]\nargv = []", "commands.x.argv: expected at least 1 item"),
        ("[commands.x]\nargv = ['probe']", "commands.x.argv: expected an absolute path"),
        ("[commands.x]\nargv = '/bin/probe -v'", "commands.x.argv: expected a list"),
        ("[commands.x]\nargv = ['/bin/probe', \"a\\u0000\"]", "commands.x.argv[1]: expected a text without a NUL"),
        ("[commands.x]\nargv = ['/bin/probe']\nargs = '('", "commands.x.args: expected a regular expression"),
        ("[commands.x]\nargv = ['/bin/probe']\nshell = true", "commands.x.shell: unknown key; expected one of argv"),
        (
            "[commands.x]\nargv = ['/bin/probe']\ncredential = true",
            "commands.x.credential: unknown key; did you mean credentials?",
        ),
        ("[slack]\ntoken = 'x'", "slack: this version does not have this section yet"),
        ("[webhooks.pager]\nurl = 'x'", "webhooks: this version does not have this section yet"),
        ("[identities.x]\nhosts = []", "identities.x.class: missing; this key is required"),
        ("[identities.x]\nclass = 'boss'", "identities.x.class: expected 'anonymous', 'staff'"),
    ],
)
def test_a_problem_is_told_with_file_key_and_expectation(toml: str, expected: str) -> None:
    message = refused(toml)
    assert expected in message
    assert message.startswith("config.toml: ")


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("SEVTRACKER_SERVER__PORT", "many", "environment: SEVTRACKER_SERVER__PORT: expected a valid integer"),
        ("PORT", "many", "environment: PORT: expected a valid integer"),
        ("SEVTRACKER_SERVER__PROT", "1", "environment: SEVTRACKER_SERVER__PROT: unknown key; did you mean port?"),
        (
            "SEVTRACKER_SERVER_PORT",
            "1",
            "SEVTRACKER_SERVER_PORT: unknown; expected two underscores, SEVTRACKER_SERVER__PORT",
        ),
        ("SEVTRACKER_SRV__PORT", "1", "environment: SEVTRACKER_SRV__PORT: srv: unknown key"),
        ("SEVTRACKER_TARGETS__ALLOW", "db1:1", "environment: SEVTRACKER_TARGETS__ALLOW: expected a list"),
        ("SEVTRACKER_TARGETS__ALLOW", '["db1"]', "environment: SEVTRACKER_TARGETS__ALLOW[0]: expected host:port"),
        ("SEVTRACKER_SERVER__PORT__X", "1", "environment: SEVTRACKER_SERVER__PORT__X: server.port"),
    ],
)
def test_a_problem_in_the_environment_is_told_with_the_variable(variable: str, value: str, expected: str) -> None:
    assert expected in refused(**{variable: value})


def test_a_variable_below_a_plain_value_is_told_too() -> None:
    assert "SEVTRACKER_SERVER__PORT__X: server.port is not a table" in refused(
        "[server]\nport = 1", SEVTRACKER_SERVER__PORT__X="1"
    )


def test_all_problems_are_told_at_once() -> None:
    message = refused("[server]\nport = 'x'\n[policy]\njitter = 7", SEVTRACKER_DATABASE__URL=POSTGRES, PORT="y")
    assert len(message.splitlines()) == 3
    assert "secret_key" in message


# --- Sections --------------------------------------------------------------------------------------------------------


def test_a_level_keeps_the_defaults_that_are_not_overridden() -> None:
    changed = loaded('[policy.SEV1]\ninterval = "5m"').policy.level("SEV1")
    assert changed == Settings().policy.level("SEV1").model_copy(update={"interval": timedelta(minutes=5)})
    assert (changed.consecutive, changed.soak, changed.reporter_retest) == (6, timedelta(hours=24), True)


@pytest.mark.parametrize(
    ("level", "interval", "consecutive", "soak", "review", "retest", "sessions"),
    [
        ("SEV0", "10m", 6, "24h", True, True, True),
        ("SEV1", "10m", 6, "24h", True, True, True),
        ("SEV2", "15m", 4, "4h", True, False, True),
        ("SEV3", "15m", 3, "30m", False, False, False),
        ("SEV4", "15m", 3, "30m", False, False, False),
    ],
)
def test_each_level_has_its_demands(
    level: str, interval: str, consecutive: int, soak: str, review: bool, retest: bool, sessions: bool
) -> None:
    policy = Settings().policy.level(level)
    assert (policy.interval, policy.consecutive, policy.soak) == (
        parse_duration(interval),
        consecutive,
        parse_duration(soak),
    )
    assert (policy.access_review, policy.reporter_retest, policy.sessions) == (review, retest, sessions)


def test_an_unknown_level_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        Settings().policy.level("SEV5")


def test_a_commands_argument_has_to_match_whole() -> None:
    command = loaded("[commands.x]\nargv = ['/bin/probe']\nargs = '[a-z]+|all'").commands["x"]
    assert [command.takes(arg) for arg in ("hr", "", "hr-1", "hr\n", "--all", "all")] == [
        *(True, False, False, False, False, True),
    ]
    assert not loaded("[commands.x]\nargv = ['/bin/probe']").commands["x"].takes("")
    assert Settings().commands == {}
    assert Settings().targets.paths == ()


def test_the_public_address_falls_back_to_host_and_port() -> None:
    assert loaded("[server]\nport = 9000").server.public_url == "http://127.0.0.1:9000"
    assert loaded("[server]\nhost = '::1'").server.public_url == "http://[::1]:8000"
    assert loaded("[server]\nbase_url = 'https://sev.example/'").server.public_url == "https://sev.example"


def test_cookies_are_secure_as_the_public_address_is_unless_told() -> None:
    assert not Settings().server.cookies_are_secure
    assert loaded("[server]\nbase_url = 'https://sev.example'").server.cookies_are_secure
    assert not loaded("[server]\nbase_url = 'https://sev.example'\nsecure_cookies = false").server.cookies_are_secure


@pytest.mark.parametrize(("written", "size"), [("123", 123), ('"1MB"', 10**6), ('"500kB"', 500_000), ('"1MiB"', 2**20)])
def test_sizes_are_numbers_or_have_a_unit(written: str, size: int) -> None:
    assert loaded(f"[server]\nmax_body = {written}").server.max_body == size


def test_sqlite_is_the_embedded_mode_and_its_files_lie_beside_it() -> None:
    settings = loaded("[database]\nurl = 'sqlite:////srv/sev%20tracker/data.db'")
    assert settings.embedded
    assert settings.database.sqlite_path == Path("/srv/sev tracker/data.db")
    assert settings.var_dir == Path("/srv/sev tracker")
    assert Settings().var_dir == Path("var")


def test_postgresql_knows_its_owner_and_the_applications_role() -> None:
    settings = loaded(
        f"[server]\nsecret_key = '{'k' * 16}'\n[database]\nurl = '{POSTGRES}'\n"
        f"migrate_url = 'postgresql+psycopg://owner:{CANARY}@db1/sev'"
    )
    assert not settings.embedded
    assert settings.var_dir is None
    assert settings.database.app_role == "app"
    assert settings.database.migration_url.startswith("postgresql+psycopg://owner:")
    assert CANARY not in repr(settings)


def test_without_an_owners_address_the_one_role_does_both() -> None:
    settings = loaded(SEVTRACKER_DATABASE__URL=POSTGRES, SEVTRACKER_SERVER__SECRET_KEY="k" * 16)
    assert settings.database.migration_url == POSTGRES
    assert settings.database.app_role is None


def test_sqlite_has_no_owner() -> None:
    assert "database: migrate_url" in refused(f"[database]\nmigrate_url = '{POSTGRES}'")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings().server.port = 1  # type: ignore[misc]  # that it is refused is the point


# --- Identities and their secrets ------------------------------------------------------------------------------------


def test_anonymous_is_built_in() -> None:
    assert Settings().identities["anonymous"].cls == "anonymous"
    assert set(loaded("[identities.x]\nclass = 'staff'").identities) == {"anonymous", "x"}


@pytest.mark.parametrize(
    "toml",
    [
        "class = 'staff'",
        "class = 'anonymous'\nusername = 'x'",
        "class = 'anonymous'\npassword = 'env:X'\nhosts = ['db1:1']",
        "class = 'anonymous'\nheaders = {Cookie = 'x'}\nhosts = ['db1:1']",
    ],
)
def test_anonymous_cannot_be_given_credentials(toml: str) -> None:
    assert "anonymous" in refused(f"[identities.anonymous]\n{toml}")


@pytest.mark.parametrize("key", ["password", "token"])
def test_a_literal_secret_is_refused_and_not_echoed(key: str) -> None:
    message = refused(f"[identities.x]\nclass = 'staff'\nhosts = ['db1:1']\n{key} = '{CANARY}'")
    assert f"identities.x.{key}: expected a reference, not the secret itself: env:NAME" in message


@pytest.mark.parametrize("secret", ["password = 'env:X'", "token = 'file:/x'", "headers = {Cookie = 'a'}"])
def test_an_identity_with_secrets_needs_hosts(secret: str) -> None:
    assert "identities.x: hosts is missing" in refused(f"[identities.x]\nclass = 'staff'\n{secret}")


def test_a_baseline_belongs_to_somebody_who_signs_in() -> None:
    with_roles = loaded("[identities.x]\nclass = 'staff'\nusername = 'u'\nroles = ['staff', 'reporting']")
    assert with_roles.identities["x"].roles == ("staff", "reporting")
    assert loaded("[identities.x]\nclass = 'staff'\nusername = 'u'\nroles = []").identities["x"].roles == ()
    assert loaded("[identities.x]\nclass = 'staff'").identities["x"].roles is None
    assert "username has in a database" in refused("[identities.x]\nclass = 'staff'\nroles = []")
    assert "that is missing" in refused("[identities.x]\nclass = 'staff'\nself_test_marker = 'employee'")


def test_no_repr_shows_a_header_or_a_key() -> None:
    settings = loaded(
        f"[server]\nsecret_key = '{CANARY}'\n"
        f"[identities.x]\nclass = 'staff'\nhosts = ['a:1']\nheaders = {{Cookie = '{CANARY}'}}"
    )
    assert CANARY not in repr(settings) + str(settings) + repr(settings.identities["x"])


def test_references_are_resolved(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    assert resolve_secret("env:PW", {"PW": "from-env"}) == "from-env"
    assert resolve_secret(f"file:{file}", {}) == "from-file"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        resolve_secret(f"file:{file}", {})


@pytest.mark.parametrize("reference", ["env:MISSING", "file:/nowhere/token"])
def test_a_reference_to_nothing_is_named(reference: str) -> None:
    with pytest.raises(ConfigError, match=reference):
        resolve_secret(reference, {"OTHER": CANARY})


def test_what_is_no_reference_is_not_echoed() -> None:
    with pytest.raises(ConfigError) as error:
        resolve_secret(CANARY, {})
    assert CANARY not in str(error.value)


# --- The key that signs sessions -------------------------------------------------------------------------------------


def test_embedded_mode_makes_its_key_once_for_its_owner_only() -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: require_secret_key(Settings()), range(8)))
    assert len(keys) == 1
    assert len(keys.pop()) == 64
    assert stat.S_IMODE(Path("var/secret_key").stat().st_mode) == 0o600
    assert [p.name for p in Path("var").iterdir()] == ["secret_key"]


def test_a_key_that_others_can_read_is_refused() -> None:
    require_secret_key(Settings())
    Path("var/secret_key").chmod(0o644)
    with pytest.raises(ConfigError, match="only its owner"):
        require_secret_key(Settings())


def test_an_empty_key_is_refused() -> None:
    require_secret_key(Settings())
    Path("var/secret_key").write_text("")
    with pytest.raises(ConfigError, match="empty"):
        require_secret_key(Settings())


def test_a_configured_key_is_used_as_it_is() -> None:
    assert require_secret_key(loaded(SEVTRACKER_SERVER__SECRET_KEY="k" * 16)) == "k" * 16
    assert not Path("var").exists()


def test_postgresql_without_a_key_is_refused() -> None:
    assert "server.secret_key: expected a key" in refused(SEVTRACKER_DATABASE__URL=POSTGRES)
    with pytest.raises(ConfigError, match=r"server\.secret_key"):
        require_secret_key(Settings.model_validate({"database": {"url": POSTGRES}}))


# --- Values ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("5m", 300), ("24h", 86400), ("7d", 604800), ("0.5s", 0.5), ("250ms", 0.25), ("0s", 0)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "-5m", "5 m", "5min", "1h30m", "٥m", "1e3s", "5m\n5m"])
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


def test_a_duration_can_be_too_long() -> None:
    with pytest.raises(ValueError, match="at most 36500d"):
        parse_duration("36501d")


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)))
def test_a_written_duration_reads_back_as_itself(duration: timedelta) -> None:
    assert parse_duration(format_duration(duration)) == duration


def test_durations_are_written_short() -> None:
    assert [format_duration(timedelta(seconds=s)) for s in (0, 0.25, 1.5, 90, 300, 86400)] == [
        *("0s", "250ms", "1.5s", "90s", "5m", "1d")
    ]


@pytest.mark.parametrize(
    ("text", "host", "network", "port"),
    [
        ("db1:5432", "db1", None, 5432),
        ("DB1.Corp.Example.:*", "db1.corp.example", None, None),
        ("*.corp.example:443", "*.corp.example", None, 443),
        ("127.0.0.1:5432", None, "127.0.0.1/32", 5432),
        ("10.0.0.0/8:443", None, "10.0.0.0/8", 443),
        ("[::1]:443", None, "::1/128", 443),
        ("[fd00::/8]:*", None, "fd00::/8", None),
    ],
)
def test_host_patterns_are_read(text: str, host: str | None, network: str | None, port: int | None) -> None:
    found = parse_host_pattern(text)
    assert (found.host, found.network and str(found.network), found.port) == (host, network, port)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "db1",
            ":5432",
            "db1:",
            "db1:0",
            "db1:65536",
            "db1:x",
            "db1:٥",
            "*:443",
            "a.*.example:443",
            "*corp.example:443",
        ),
        *(
            "10.0.0.1/8:443",
            "10.0.0:443",
            "::1:443",
            "[10.0.0.1]:443",
            "[::1:443",
            "fd00::/8:443",
            "http://x:443",
            "a b:1",
        ),
    ],
)
def test_other_texts_are_no_host_patterns(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_host_pattern(text)


# --- Dialects of SQL: a file of their own ----------------------------------------------------------------------------

NAMES_DIALECTS = "[targets]\ndialects = 'maps/dialects.toml'"
DIALECT = "[mssql]\ndriver = 'mssql+pymssql'\ncode = 'orig.args.0'\ndenied = [229, '230']\nself_test = 'SELECT 1'\n"


def with_dialects(toml: str) -> str:
    Path("maps").mkdir(exist_ok=True)
    Path("maps/dialects.toml").write_text(toml)
    return NAMES_DIALECTS


def test_dialects_are_read_from_the_file_beside_the_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded(with_dialects(DIALECT))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    dialect = load_settings({}, tmp_path / "config.toml").targets.dialects["mssql"]
    assert (dialect.driver, dialect.code, dialect.denied) == ("mssql+pymssql", ("orig.args.0",), ("229", "230"))


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ("x =", "config.toml: targets.dialects: maps/dialects.toml: expected TOML"),
        ("x = 1", "maps/dialects.toml: x: expected a table"),
        ("[mssql]", "maps/dialects.toml: mssql.denied: missing; this key is required"),
        (DIALECT.replace("mssql]", "mariadb]"), "maps/dialects.toml: expected another name than mariadb"),
        (DIALECT.replace("mssql]", "Ms-sql]"), "expected small letters, digits and _ in a dialect's name"),
        (DIALECT.replace("mssql+pymssql", "mssql+py;x"), "mssql.driver: expected a drivername of SQLAlchemy"),
        (DIALECT.replace("mssql+pymssql", "sqlite"), "mssql.driver: expected the driver of a server"),
        (DIALECT.replace("orig.args.0", "orig.args.-1"), "mssql.code[0]: expected attributes and indexes"),
        (DIALECT.replace("orig.args.0", "orig.__class__"), "mssql.code[0]: expected attributes and indexes"),
        (DIALECT.replace("[229, '230']", "[]"), "mssql.denied: expected at least 1 item"),
        (DIALECT.replace("[229, '230']", "['access denied']"), "mssql.denied[0]: expected a code of letters"),
        (DIALECT.replace("[229, '230']", "[true]"), "mssql.denied[0]: expected a code of letters"),
        (DIALECT + "absent = [208, 229]", "mssql: expected one meaning for each code: 229 is in denied and in absent"),
        (DIALECT + "abscent = [208]", "mssql.abscent: unknown key; did you mean absent?"),
        (DIALECT + f"connect_args = {{Password = '{CANARY}'}}", "mssql.connect_args: expected no Password"),
        (DIALECT + "query = {host = 'db2'}", "mssql.query: expected no host"),
    ],
)
def test_a_bad_map_is_told_by_its_own_file_and_key(toml: str, told: str) -> None:
    assert told in refused(with_dialects(toml))


def test_dialects_are_a_files_name_and_the_file_is_there() -> None:
    assert "config.toml: targets.dialects: expected a TOML file, but there is no maps/" in refused(NAMES_DIALECTS)
    assert "config.toml: targets.dialects: expected the name of a TOML file" in refused("[targets.dialects.mssql]")
    told = refused("", SEVTRACKER_TARGETS__DIALECTS="nowhere.toml")
    assert "environment: SEVTRACKER_TARGETS__DIALECTS: expected a TOML file, but there is no nowhere.toml" in told


# --- The example -----------------------------------------------------------------------------------------------------


def every_key(model: type[BaseModel] = Settings, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Each key of each section as it is written in TOML; ``*`` stands for a name that the user chooses."""
    for name, field in model.model_fields.items():
        inner, place = _model_in(field.annotation), (*path, field.alias or name)
        if inner is None:
            yield place
        elif inner is not Reserved:
            yield from every_key(inner, (*place, "*") if get_origin(field.annotation) is Mapping else place)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def _uncommented() -> str:
    """The example with the keys that have no default in it."""
    return re.sub(r"^#(?=[\w\[])", "", EXAMPLE.read_text(), flags=re.MULTILINE)


def _holds(data: Any, path: tuple[str, ...]) -> bool:
    if not path:
        return True
    if isinstance(data, list):
        return any(_holds(item, path) for item in data)
    if path[0] == "*":
        return any(_holds(value, path[1:]) for value in data.values())
    return path[0] in data and _holds(data[path[0]], path[1:])


@pytest.mark.parametrize("path", list(every_key()), ids=".".join)
def test_the_example_documents_every_key(path: tuple[str, ...]) -> None:
    example = tomllib.loads(_uncommented())
    assert isinstance(example["targets"]["dialects"], str)
    example["targets"]["dialects"] = tomllib.loads(DIALECTS.read_text())
    assert _holds(example, path)


def test_the_example_is_the_defaults() -> None:
    assert load_settings({}, EXAMPLE) == Settings()


def test_the_example_with_all_its_keys_is_a_good_configuration() -> None:
    Path("dialects.toml").write_text(DIALECTS.read_text())
    postgres = _uncommented().replace("sqlite:///var/sevtracker.db", "postgresql+psycopg://app@db1:5432/sevtracker")
    settings = loaded(postgres)
    assert isinstance(settings.identities["any-employee"], Identity)
    assert settings.database.app_role == "app"


def test_every_key_can_come_from_the_environment() -> None:
    Path("dialects.toml").write_text(DIALECTS.read_text())
    example = tomllib.loads(_uncommented().replace("sqlite:///var/sevtracker.db", POSTGRES))
    expected = loaded(_uncommented().replace("sqlite:///var/sevtracker.db", POSTGRES))
    Path("config.toml").unlink()
    assert load_settings(dict(_variables(example))) == expected


def _variables(table: dict[str, Any], *path: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        place = (*path, key.upper().replace("-", "_"))
        if isinstance(value, dict) and key != "headers":
            yield from _variables(value, *place)
        else:
            yield f"SEVTRACKER_{'__'.join(place)}", value if isinstance(value, str) else json.dumps(value)
