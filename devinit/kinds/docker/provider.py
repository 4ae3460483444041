"""Containers as services: the engine on the socket creates one, and a process (`shim`) represents it."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import replace

from devinit.errors import ProviderError
from devinit.kinds.command import arguments
from devinit.kinds.contained import ContainerProvider, FromInside, Published
from devinit.kinds.docker import building, images, seeing, shim
from devinit.kinds.docker.body import (
    HOST,
    INITS,
    LOOPBACK,
    PROJECT,
    ROOT,
    body_of,
    labels_of,
    mounts_of,
    name_of,
    network_body,
    network_name,
    spec_of,
)
from devinit.kinds.docker.copying import Vouched
from devinit.kinds.docker.engine import Engine, EngineAway, Refused, encode, quoted
from devinit.kinds.docker.finding import in_words, refused, socket_of
from devinit.kinds.docker.images import Image
from devinit.kinds.docker.kind import DockerKeys
from devinit.kinds.docker.networks import LOCK, Network, have_network, have_relays, order_of, remove_network
from devinit.kinds.docker.record import Chosen, chosen_of, chosen_path, folder_of, path_of, record_of
from devinit.kinds.docker.serving import completed, endpoint_of, environment_of, has_login, server_of
from devinit.kinds.docker.volumes import (
    have_volumes,
    names_of,
    not_kept,
    real_paths,
    refuse_files_outside,
    volumes_of,
)
from devinit.kinds.password import kept_password, stated_password
from devinit.kinds.programs import make_private
from devinit.kinds.provider import Notes, Place, Say, Stated, reachable
from devinit.model.names import port_variable
from devinit.model.probe import ExecProbe, HttpProbe, LogProbe, LookProbe, Probe, StayedUpProbe
from devinit.model.process import ProcessSpec
from devinit.model.service import RANDOM_PASSWORD, Endpoint, Service, StopPolicy
from devinit.system.files import write_atomically
from devinit.system.paths import run_mark
from devinit.system.processes import RUN_VARIABLE
from devinit.system.usage import Usage

GRACE_SECONDS = 10.0
"""Seconds that a container may take to end before it is killed, as in `docker stop`."""
BEYOND_SECONDS = 10.0
"""Additional seconds for the process that represents it: the engine has to kill and remove the container."""
PATIENCE_SECONDS = 60.0
"""Seconds that an engine may be away during its restart."""
CALLERS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "XDG_RUNTIME_DIR")
"""Variables of the caller that the process which represents a container gets."""


class DockerProvider(ContainerProvider):
    """Provider of containers from any image."""

    def settled(self, service: Service, place: Place, stated: Stated) -> Service:
        """Return the service with the password of its server: a random one, or that of a variable."""
        keys, server = keys_of(service), server_of(service)
        if server is None or not has_login(service):
            return service
        password = keys.password
        if password is not None and password.startswith("${"):
            password = stated_password(password, stated(), place.environment)
        if password in (None, RANDOM_PASSWORD):
            password = kept_password(place.data / service.name)
        return replace(service, settings=replace(keys, password=password))

    def endpoint(self, service: Service, port: int | None) -> Endpoint:
        """Return the address; for a known server, with the names by which applications look for it."""
        server = server_of(service)
        if server is None or port is None:
            return super().endpoint(service, port)
        return endpoint_of(service, server, reachable(service.host), port)

    def takes_long(self, service: Service, place: Place) -> bool:
        """Return whether the engine has to be asked."""
        del place
        return service.external_url is None

    def prepare(self, service: Service, place: Place, say: Say) -> Notes:
        """Ensure that engine, image and volumes exist, before each start of a container. Raise ProviderError."""
        if service.external_url is not None:
            return ()
        service = completed(service)
        make_private(folder_of(place))
        engine, keys = Engine(socket_of(place.environment)), keys_of(service)
        try:
            name = keys.image or built_name(service, place)
            if keys.build is not None:
                building.built(engine, name, building.build_of(keys.build, place.root, service.name), say)
            image = self._image(engine, name, keys, say)
            have_volumes(engine, service, place, volumes_of(keys))
            mark = run_mark(place.root, service.name)
            labels = network_labels(mark, place)
            network = have_network(engine, network_name(mark), labels, folder_of(place))
            relays = have_relays(network.gateway, place.called, folder_of(place))
        except EngineAway as away:
            if ended_just_now(service, place) and chosen_of(service.name, place) is not None:
                # It probably ended with its engine, which is being restarted; the process that represents it waits
                # for that.
                return ()
            raise in_words(away) from away
        except Refused as error:
            raise refused("the container engine refuses", error) from error
        chosen = Chosen(
            socket=engine.path,
            image=image.id,
            name=name,
            port=port_inside(service, keys, image),
            needs_init=not (image.entrypoint and INITS.search(image.entrypoint[0])),
            network=network.name,
            gateway=network.gateway,
            subnet=network.subnet,
            relays=relays,
        )
        write_atomically(
            chosen_path(service.name, place), msgspec.json.encode(chosen), mode=0o600, durable=False
        )
        return lost_at_a_stop(service, keys, image)

    def process(
        self, service: Service, endpoint: Endpoint, place: Place, environment: dict[str, str]
    ) -> ProcessSpec | None:
        """Return the process that represents the container."""
        if service.external_url is not None:
            return None
        service = completed(service)
        keys, chosen = keys_of(service), chosen_of(service.name, place)
        if chosen is None:
            raise ProviderError(f"what {service.name} runs is on no record any more", hint="start it again")
        refuse_files_outside(service, place)
        mark = run_mark(place.root, service.name)
        body = body_of(
            keys,
            image=chosen.image,
            command=arguments(service.command) if service.command else (),
            environment={**environment_of(service), **environment_inside(service, environment)},
            ports=ports_of(service, endpoint, chosen, environment),
            mounts=mounts_of(keys, mark, names_of(place), real_paths(service, keys, place)),
            labels=labels_of(mark, str(place.root)),
            needs_init=chosen.needs_init,
            network=network_body(chosen.network, chosen.gateway, service.name),
        )
        order = {
            "socket": chosen.socket,
            "network": order_of(
                Network(name=chosen.network, gateway=chosen.gateway, subnet=chosen.subnet),
                network_labels(mark, place),
            ),
            "lock": str(folder_of(place) / LOCK),
            "gateway": chosen.gateway,
            "subnet": chosen.subnet,
            "relays": list(chosen.relays.items()),
            "name": name_of(mark),
            "record": str(path_of(service.name, place)),
            "spec": spec_of(body, chosen.image),
            "grace": round(grace_of(service)),
            "patient": ended_just_now(service, place),
            "body": body,
        }
        return shim_spec(order, place, environment)

    def probe(self, service: Service, endpoint: Endpoint, place: Place) -> Probe:
        """Return the probe that `ready` configures, else a look into the container.

        A connection proves nothing: the engine accepts it before the program listens.
        """
        service = completed(service)
        ready, keys = service.ready, keys_of(service)
        if ready.exec is not None:
            return ExecProbe(ready.exec)
        if ready.log is not None:
            return LogProbe(ready.log)
        if ready.http is not None and endpoint.port is not None:
            return HttpProbe.of(endpoint, ready.http, status=ready.status, body=ready.body)
        chosen = chosen_of(service.name, place)
        if keys.image_healthcheck and chosen is not None:
            return LookProbe(lambda: seeing.health(chosen.socket, record_of(service.name, place)))
        if endpoint.port is None or chosen is None or chosen.port is None:
            return StayedUpProbe(ready.stays_up_seconds)
        inside, host, port = chosen.port, endpoint.host, endpoint.port
        return LookProbe(lambda: seeing.listens(record_of(service.name, place), inside, host, port))

    def inside(self, spec: ProcessSpec, service: Service, place: Place) -> ProcessSpec:
        """Return the process that has the engine run a command in the container."""
        chosen = chosen_of(service.name, place)
        if chosen is None:
            return spec
        order = {
            "socket": chosen.socket,
            "name": name_of(run_mark(place.root, service.name)),
            "record": str(path_of(service.name, place)),
            "inside": spec.argv,
        }
        return shim_spec(order, place, spec.environment)

    def from_inside(self, service: Service, place: Place) -> FromInside:
        """Return the ports of the network's gateway at which the services of this machine answer."""
        chosen = chosen_of(service.name, place)
        return FromInside(host=HOST, ports=chosen.relays if chosen is not None else {})

    def published(self, service: Service, place: Place) -> Published | None:
        """Return the ports that the engine has on record."""
        ports = record_of(service.name, place).published
        return Published(address=LOOPBACK, ports=frozenset(ports)) if ports else None

    def usage(self, service: Service, place: Place) -> Usage | None:
        """Return the usage of the container's control group."""
        return seeing.usage(record_of(service.name, place))

    def remains(self, service: Service, place: Place) -> bool:
        """Return whether the record names a container that did not end together with its process."""
        record = record_of(service.name, place)
        return bool(record.token)

    def end_remains(self, service: Service, place: Place) -> str:
        """Kill and remove the recorded container; return what prevents that."""
        record, chosen = record_of(service.name, place), chosen_of(service.name, place)
        if chosen is None:
            return ""
        engine, name = Engine(chosen.socket), name_of(run_mark(place.root, service.name))
        try:
            # By its id: in a checkout that was moved since, containers get other names.
            found = engine.ask("GET", f"/containers/{quoted(record.id or name)}/json")
            if (found["Config"].get("Labels") or {}).get(Vouched.TOKEN) != record.token:
                return f"the container {name} is on no record of this checkout: it is left alone"
            engine.ask("DELETE", f"/containers/{found['Id']}?force=1&v=1", seconds=None)
        except EngineAway as away:
            return f"{in_words(away).message}: the container {name} is removed by the next start"
        except Refused as error:
            if error.status != images.NOT_FOUND:
                return f"the container {name} cannot be removed: {error.words}"
        remove_network(engine, chosen.network)
        gone = msgspec.structs.replace(record, token="", pid=0, published=())
        write_atomically(path_of(service.name, place), msgspec.json.encode(gone), mode=0o600, durable=False)
        return ""

    def reached(self, service: Service, place: Place) -> Path:
        """Return the folder that the process keeps while the engine answers it."""
        return Path(f"{path_of(service.name, place)}.reached")

    def stop(self, service: Service) -> StopPolicy:
        """Return TERM for the process; it has the engine stop the container with the image's own signal."""
        return StopPolicy(signal="TERM", grace_seconds=grace_of(service) + BEYOND_SECONDS, saving_seconds=0.0)

    def _image(self, engine: Engine, name: str, keys: DockerKeys, say: Say) -> Image:
        image = images.image_of(engine, name)
        if keys.build is None and (keys.pull == "always" or (image is None and keys.pull != "never")):
            images.pull(engine, name, keys.platform, say)
            image = images.image_of(engine, name)
        if image is None:
            raise ProviderError(
                f"image {name} is not on this machine",
                hint=f'`docker pull {name}` fetches it, and so does devinit without pull = "never"',
            )
        if keys.platform is None and image.architecture:
            own = images.architecture_of(engine)
            if own and image.architecture != own:
                raise ProviderError(
                    f"image {name} is for {image.architecture}, and the container engine runs {own}",
                    hint=f"fetch the other variant (`docker pull --platform linux/{own} {name}`), or emulate "
                    f'this one: platform = "linux/{image.architecture}"',
                )
        return image


def lost_at_a_stop(service: Service, keys: DockerKeys, image: Image) -> Notes:
    """Note which data of a container is lost at its end. A known server keeps all its data in its volume."""
    if server_of(service) is not None or not (paths := not_kept(keys, image.volumes)):
        return ()
    said = f"a stop removes what it has written to {' and '.join(paths)}"
    return (
        f'{said}; volumes = ["data:{paths[0]}"] keeps it, tmpfs = ["{paths[0]}"] says that this is meant',
    )


def ended_just_now(service: Service, place: Place) -> bool:
    """Return whether its container ended a moment ago, but not by request."""
    return time.time() - record_of(service.name, place).ended < PATIENCE_SECONDS


def built_name(service: Service, place: Place) -> str:
    """Return the name of the image that is built for a service of a checkout."""
    return f"{name_of(run_mark(place.root, service.name))}:built".lower()


def keys_of(service: Service) -> DockerKeys:
    """Return the configured settings of a container."""
    return service.settings_as(DockerKeys) or DockerKeys()


def grace_of(service: Service) -> float:
    """Return how many seconds a container may take to end."""
    return service.stop.grace_seconds if service.stop is not None else GRACE_SECONDS


def port_inside(service: Service, keys: DockerKeys, image: Image) -> int | None:
    """Return the port on which the program listens in its container. Raise ProviderError if that is unclear."""
    if service.port is None:
        return None
    if keys.container_port is not None:
        return keys.container_port
    preferred = service.port.preferred
    if not image.exposed or preferred in image.exposed:
        return preferred
    if len(image.exposed) == 1:
        return image.exposed[0]
    ports = ", ".join(map(str, image.exposed))
    raise ProviderError(
        f"{service.name}: its image exposes the ports {ports}",
        hint=f"container_port = {image.exposed[0]} says which of them `port` leads to",
    )


def ports_of(
    service: Service, endpoint: Endpoint, chosen: Chosen, environment: dict[str, str]
) -> dict[int, int]:
    """Return the published ports: port of the container → port of this machine."""
    ports = {chosen.port: endpoint.port} if chosen.port is not None and endpoint.port is not None else {}
    for each in service.extra_ports:
        if (number := environment.get(port_variable(each.service), "")).isdigit():
            ports[each.preferred] = int(number)
    return ports


def environment_inside(service: Service, environment: dict[str, str]) -> dict[str, str]:
    """Return the environment of a container: its own `env` and the files it names, nothing of this machine."""
    names = dict.fromkeys(service.env)
    if service.env_file:
        from dotenv import dotenv_values  # few containers are given files

        for path in service.env_file:
            names |= dict.fromkeys(dotenv_values(path, interpolate=False))
    return {name: environment[name] for name in names if name in environment and name not in service.left_out}


def network_labels(mark: str, place: Place) -> dict[str, str]:
    """Return the labels of a checkout's network."""
    labels = labels_of(mark, str(place.root))
    return {name: labels[name] for name in (PROJECT, ROOT)}


def shim_spec(order: Mapping[str, object], place: Place, environment: dict[str, str]) -> ProcessSpec:
    """Return the process that carries out an order."""
    given = {name: environment[name] for name in CALLERS if name in environment}
    if RUN_VARIABLE in environment:
        given[RUN_VARIABLE] = environment[RUN_VARIABLE]
    folder = str(Path(shim.__file__).absolute().parent)
    return ProcessSpec(
        argv=(sys.executable, "-I", "-S", "-c", shim.PROGRAM, folder),
        directory=place.root,
        environment={**given, shim.ORDER: encode(order)},
    )
