"""What is built of each service, read from the registry and held against AWS's model."""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from cloche import services
from cloche.core.dispatch import load_service
from cloche.core.operations import Operation
from cloche.gateway.service_models import service_model

State = Literal["executes", "stored", "not built"]

_PACKAGE_ROOT = Path(services.__file__).parent.parent


class UnknownService(LookupError):
    """AWS has no service of that name."""


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """One operation of AWS's model.

    Attributes:
        operation: as the wire has it.
        state: `executes`, `stored` where nothing acts on what is recorded, or `not built`.
        where: file within the package and line; empty if it is not built.
    """

    operation: str
    state: State
    where: str

    def as_dict(self) -> dict[str, str]:
        """For JSON; its keys are kept from version to version."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ServiceCoverage:
    """How much of a service is built.

    Attributes:
        service: as boto3 has it.
        title: AWS's full name.
        executes: number of operations that do their work.
        stored: number of operations that record only.
        total: number of operations in AWS's model.
    """

    service: str
    title: str
    executes: int
    stored: int
    total: int

    @property
    def built(self) -> int:
        """Operations that answer otherwise than 501."""
        return self.executes + self.stored

    def as_dict(self) -> dict[str, Any]:
        """For JSON; its keys are kept from version to version."""
        return {**asdict(self), "built": self.built}


def built_services() -> list[str]:
    """Services that have a folder, boto3's names."""
    folders = (_PACKAGE_ROOT / "services").iterdir()
    return sorted(
        folder.name.replace("_", "-") for folder in folders if (folder / "__init__.py").is_file()
    )


def coverage(service: str) -> list[OperationCoverage]:
    """Each operation of a service's model, in its order.

    Raises:
        UnknownService: AWS has no such service.
    """
    try:
        model = cast("Any", service_model(service))
    except KeyError as error:
        raise UnknownService(f"AWS has no service {service!r}.") from error
    built = load_service(service)
    operations = built.operations if built else {}
    return [_one(name, operations.get(name)) for name in model.operation_names]


def summary(service: str) -> ServiceCoverage:
    """How much of a service is built.

    Raises:
        UnknownService: AWS has no such service.
    """
    states = [row.state for row in coverage(service)]
    return ServiceCoverage(
        service=service,
        title=cast("Any", service_model(service)).metadata["serviceFullName"],
        executes=states.count("executes"),
        stored=states.count("stored"),
        total=len(states),
    )


def _one(name: str, operation: Operation | None) -> OperationCoverage:
    if operation is None:
        return OperationCoverage(name, "not built", "")
    function = inspect.unwrap(operation.function)
    file = Path(function.__code__.co_filename)
    where = f"{file.relative_to(_PACKAGE_ROOT).as_posix()}:{function.__code__.co_firstlineno}"
    return OperationCoverage(name, "stored" if operation.does == "stored" else "executes", where)
