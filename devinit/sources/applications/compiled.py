"""Recognise the servers of Spring Boot and .NET by their build files."""

from __future__ import annotations

import re

from devinit.model.defaults import LOCAL_HOST
from devinit.model.evidence import Evidence
from devinit.model.service import Readiness
from devinit.sources.applications.tree import Tree, depth, joined, upwards
from devinit.sources.applications.unit import BUILD_SECONDS, Finding, Role, Unit
from devinit.sources.files import table
from devinit.sources.interpolation import literal
from devinit.sources.jsonc import parse_jsonc

_SPRING_WEB = re.compile(r"spring-boot-starter-(?:web|webflux|webmvc|jersey|graphql|data-rest)")
_SPRING_PORT = re.compile(
    r"^(?P<indent>[ \t]{0,20})(?:server\.)?port[ \t]{0,20}[=:][ \t]{0,20}(?:\$\{\w{1,60}:)?(?P<port>\d{2,5})",
    re.MULTILINE,
)
_SPRING_SECTION = re.compile(r"^server:", re.MULTILINE)
_SPRING_FILES = ("application.properties", "application.yml", "application.yaml")
_WEB_SDK = re.compile(r"Sdk=\"Microsoft\.NET\.Sdk\.Web\"")
_LAUNCH_URL = re.compile(
    r"\"applicationUrl\"[ \t]{0,10}:[ \t]{0,10}\"[^\"\n]{0,200}?http://[\w.*+-]{1,60}:(?P<port>\d{2,5})"
)
_NPGSQL = re.compile(r"(?:^|;)\s{0,9}Host\s{0,9}=", re.IGNORECASE)
"""Matches PostgreSQL: other databases use `Server=`."""
_OF_NPGSQL = {
    "host": "HOST", "port": "PORT", "database": "DB", "username": "USER", "user id": "USER", "userid": "USER",
    "password": "PASSWORD",
}  # fmt: skip
"""Key of a connection string → suffix of devinit's variable for it."""
_PROFILES = re.compile(r"\"profiles\"[ \t]{0,10}:")
"""The part of launchSettings.json before it is for IIS on Windows."""


def spring(tree: Tree) -> Finding:
    """Return the servers of Spring Boot: modules of Maven or Gradle with its web starter."""
    units = []
    for folder in tree.folders:
        for name in ("pom.xml", "build.gradle", "build.gradle.kts"):
            text = tree.text(joined(folder, name))
            found = _SPRING_WEB.search(text)
            if found is not None and tree.path(joined(folder, "src/main")).is_dir():
                units.append(_of_spring(tree, folder, name, found.start()))
                break
    return Finding(tuple(units))


def _of_spring(tree: Tree, folder: str, name: str, position: int) -> Unit:
    port = 8080
    said: tuple[Evidence, ...] = ()
    for file in _SPRING_FILES:
        path = joined(folder, f"src/main/resources/{file}")
        if (number := _spring_port(tree.text(path))) is not None:
            port, said = int(number["port"]), (tree.seen("port", path, number.start("port")),)
            break
    has_health = "spring-boot-starter-actuator" in tree.text(joined(folder, name))
    return Unit(
        folder=folder,
        role=Role.BACKEND,
        kind="Spring Boot",
        command=_spring_command(tree, folder, is_maven=name == "pom.xml"),
        port=port,
        ready=Readiness(
            http="/actuator/health" if has_health else None,
            timeout_seconds=BUILD_SECONDS,
        ),
        env={
            "SERVER_PORT": "${PORT}",
            "SERVER_ADDRESS": LOCAL_HOST,
            # Otherwise it would start the containers of a compose file.
            "SPRING_DOCKER_COMPOSE_ENABLED": "false",
        },
        evidence=(tree.seen("command", joined(folder, name), position), *said),
    )


def _spring_port(text: str) -> re.Match[str] | None:
    """Return the match of the port in Spring settings: `server.port`, or `port` in the section `server`."""
    section = _SPRING_SECTION.search(text)
    for found in _SPRING_PORT.finditer(text):
        if found[0].startswith("server."):
            return found
        is_inside = section is not None and found["indent"] and found.start() > section.start()
        if is_inside and section is not None and not _ends_section(text[section.end() : found.start()]):
            return found
    return None


def _ends_section(text: str) -> bool:
    """Return whether a text has a line without indentation, which begins another section."""
    return any(line[:1].strip() not in ("", "#") for line in text.split("\n")[1:])


def _spring_command(tree: Tree, folder: str, *, is_maven: bool) -> str:
    """Return the command of an application; the nearest wrapper has the right version of the build tool."""
    wrapper, program = ("mvnw", "mvn") if is_maven else ("gradlew", "gradle")
    task = "spring-boot:run" if is_maven else "bootRun"
    place = next((each for each in upwards(folder) if tree.has(each, wrapper)), None)
    if place is None:
        return f"{program} {task}"
    up = "../" * (depth(folder) - depth(place)) or "./"
    return f"sh {up}{wrapper} {task}"


def dotnet(tree: Tree) -> Finding:
    """Return the servers of .NET: projects with the web SDK."""
    units = []
    for folder in tree.folders:
        for name in tree.files[folder]:
            file = joined(folder, name)
            found = _WEB_SDK.search(tree.text(file)) if name.endswith(".csproj") else None
            if found is not None:
                units.append(_of_dotnet(tree, folder, tree.seen("command", file, found.start())))
                break
    return Finding(tuple(units))


def _connections(tree: Tree, folder: str) -> dict[str, str]:
    """Return the variables that override connection strings of PostgreSQL on this machine."""
    found: dict[str, str] = {}
    for name in ("appsettings.json", "appsettings.Development.json"):
        described = parse_jsonc(tree.text(joined(folder, name)))
        strings = table(described, "ConnectionStrings") if isinstance(described, dict) else {}
        for key, text in strings.items():
            if isinstance(text, str) and re.fullmatch(r"[A-Za-z]\w{0,60}", key) and _NPGSQL.search(text):
                parts = _parts(text)
                if parts.get("host", "").lower() in ("localhost", "127.0.0.1"):
                    found[f"ConnectionStrings__{key}"] = _as_template(text)
    return found


def _parts(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in text.split(";"))
    return {key.strip().lower(): value.strip() for key, sign, value in pairs if sign}


def _as_template(text: str) -> str:
    """Return a connection string with devinit's templates for host, port, database and login."""
    told: list[str] = []
    for each in filter(None, (part.strip() for part in text.split(";"))):
        key, _, value = each.partition("=")
        variable = _OF_NPGSQL.get(key.strip().lower())
        told.append(f"{key}=${{POSTGRES_{variable}}}" if variable else f"{key}={literal(value)}")
    if "port" not in _parts(text):
        told.insert(1, "Port=${POSTGRES_PORT}")
    return ";".join(told)


def _of_dotnet(tree: Tree, folder: str, project: Evidence) -> Unit:
    launch = joined(folder, "Properties/launchSettings.json")
    text = tree.text(launch)
    profiles = _PROFILES.search(text)
    found = _LAUNCH_URL.search(text, profiles.end() if profiles else 0)
    return Unit(
        folder=folder,
        role=Role.BACKEND,
        kind="ASP.NET Core",
        # The launch profile would set its own port.
        command="dotnet watch --non-interactive run --no-launch-profile",
        port=int(found["port"]) if found else 5000,
        ready=Readiness(timeout_seconds=BUILD_SECONDS),
        env={
            "ASPNETCORE_URLS": f"http://{LOCAL_HOST}:${{PORT}}",
            "ASPNETCORE_ENVIRONMENT": "Development",
            **_connections(tree, folder),
        },
        evidence=(project, *((tree.seen("port", launch, found.start("port")),) if found else ())),
    )
