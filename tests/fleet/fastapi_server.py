"""Fleet API, FastAPI edition.  Usage: python fastapi_server.py PORT"""
import functools
import json
import os
import re
import secrets
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from email.message import Message
from fractions import Fraction
from typing import Annotated, Any, Literal, Optional
from uuid import uuid4

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import (AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field,
                      ValidationError, model_validator)
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.requests import ClientDisconnect

MAX_BODY = 65536
EXPORT_TIME = timedelta(seconds=1)
MERGE_PATCH = "application/merge-patch+json"
FAULT = os.environ.get("FAULT", "")  # one planted fault, see faults.yaml
FRESH_ID = str(uuid4())


def utcnow() -> datetime:
    return datetime.now(timezone.utc)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# ------------------------------------------------------------------- errors

class ApiError(Exception):
    status = 500
    title = "Internal Server Error"
    headers: dict[str, str] = {}

    def __init__(self, detail: str, errors: Optional[list[dict[str, str]]] = None):
        super().__init__(detail)
        self.detail, self.errors = detail, errors


class MalformedBody(ApiError):
    status, title = 400, "Malformed body"


class Unauthenticated(ApiError):
    status, title = 401, "Authentication needed"
    headers = {"WWW-Authenticate": 'Bearer realm="fleet"'}


class Forbidden(ApiError):
    status, title = 403, "Forbidden"


class NotFound(ApiError):
    status, title = 404, "Not found"


class Conflict(ApiError):
    status, title = 409, "Conflict"


class PreconditionFailed(ApiError):
    status, title = 412, "Precondition failed"


class TooLarge(ApiError):
    status, title = 413, "Body too large"


class WrongMediaType(ApiError):
    status, title = 415, "Unsupported media type"


class Unprocessable(ApiError):
    status, title = 422, "Validation failed"

    @classmethod
    def of(cls, where: str, message: str) -> "Unprocessable":
        return cls("The request is not valid.", [{"field": where, "message": message}])

    @classmethod
    def of_pydantic(cls, found: list[Any]) -> "Unprocessable":
        return cls("The request is not valid.", [
            {"field": "/".join(str(part)[:60] for part in item["loc"]), "message": item["msg"]}
            for item in found[:25]])


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(status: int, title: str, detail: str = "", errors=None, headers=None) -> Response:
    content: dict[str, Any] = {"type": f"/problems/{status}", "title": title, "status": status}
    if detail:
        content["detail"] = detail
    if errors:
        content["errors"] = errors
    return ProblemResponse(content, status_code=status, headers=headers)


# -------------------------------------------------------------------- types

def _integral(value: Any) -> Any:
    """2020.0 is an integer in JSON Schema."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _numeric(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError("Input should be a number")
    return float("inf") if abs(value) > 10 ** 15 else value


def _date(value: str) -> str:
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("Input should be a date")
    date.fromisoformat(value)
    return value


_RFC3339 = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?P<h>[01][0-9]|2[0-3]):(?P<m>[0-5][0-9])"
    r":(?P<s>[0-5][0-9])(?P<f>\.[0-9]{1,60})?"
    r"(?:[Zz]|(?P<sign>[+-])(?P<oh>[01][0-9]|2[0-3]):(?P<om>[0-5][0-9]))")


def position_in_time(value: str) -> Fraction:
    parts = _RFC3339.fullmatch(value)
    if not parts:
        raise ValueError("Input should be an RFC 3339 date-time")
    minutes = int(parts["h"]) * 60 + int(parts["m"])
    if parts["sign"]:
        offset = int(parts["oh"]) * 60 + int(parts["om"])
        minutes += -offset if parts["sign"] == "+" else offset
    fraction = Fraction("0" + parts["f"]) if parts["f"] else Fraction(0)
    days = date.fromisoformat(parts["day"]).toordinal()
    return days * 86400 + minutes * 60 + int(parts["s"]) + fraction


def _datetime(value: str) -> str:
    position_in_time(value)
    return value.upper()


def _distinct(value: list[str]) -> list[str]:
    if len(set(value)) < len(value):
        raise ValueError("Items should be unique")
    return value


def _digits(value: Any) -> Any:
    if isinstance(value, str):
        if not re.fullmatch("-?[0-9]{1,12}", value):
            raise ValueError("Input should be an integer")
        return int(value)
    return value


Number = Annotated[float, BeforeValidator(_numeric), Field(allow_inf_nan=False)]
Integer = Annotated[int, BeforeValidator(_integral)]
QueryInteger = Annotated[int, BeforeValidator(_digits)]
DateText = Annotated[str, AfterValidator(_date)]
DateTimeText = Annotated[str, AfterValidator(_datetime)]
UuidText = Annotated[
    str, Field(pattern="^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")]
Plate = Annotated[str, Field(pattern="^[A-Z]{2,3}-[0-9]{3,5}$")]
Name40 = Annotated[str, Field(min_length=1, max_length=40)]
Year = Annotated[Integer, Field(ge=1980, le=2030)]
Mileage = Annotated[Number, Field(ge=0, le=2_000_000)]
Note = Annotated[str, Field(max_length=500)]
Tags = Annotated[list[Annotated[str, Field(pattern="^[a-z0-9-]{1,20}$")]],
                 Field(max_length=10), AfterValidator(_distinct)]
Pin = Annotated[str, Field(pattern="^[0-9]{4,6}$")]
Name80 = Annotated[str, Field(min_length=1, max_length=80)]
City = Annotated[str, Field(min_length=1, max_length=60)]
Capacity = Annotated[Integer, Field(ge=1, le=500)]
DepotKind = Literal["garage", "yard", "port"]
if FAULT == "port_refused":
    DepotKind = Literal["garage", "yard"]
OpenStatus = Literal["active", "maintenance"]
Status = Literal["active", "maintenance", "archived"]
Visibility = Literal["private", "shared"]
Latitude = Annotated[Number, Field(ge=-90, le=90)]
Longitude = Annotated[Number, Field(ge=-180, le=180)]
Email = Annotated[str, Field(max_length=64, pattern=(
    r"^[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*@[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
    r"(\.[A-Za-z0-9]+(-[A-Za-z0-9]+)*)+$"))]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class GeoPoint(Input):
    lat: Latitude
    lon: Longitude


class DepotInput(Input):
    name: Name80
    city: City
    capacity: Capacity
    kind: DepotKind = "garage"
    openedOn: Optional[DateText] = None
    position: Optional[GeoPoint] = None


class DepotDocument(DepotInput):
    """What a client may send: read-only members are checked, then ignored."""
    id: UuidText = Field(default=None, exclude=True)
    createdAt: DateTimeText = Field(default=None, exclude=True)
    updatedAt: DateTimeText = Field(default=None, exclude=True)


class GeoPointPatch(Input):
    lat: Latitude = None
    lon: Longitude = None


class DepotPatch(Input):
    name: Name80 = None
    city: City = None
    capacity: Capacity = None
    kind: DepotKind = None
    openedOn: Optional[DateText] = None
    position: Optional[GeoPointPatch] = None


class VehicleInput(Input):
    plate: Plate
    make: Name40
    model: Name40
    year: Year
    status: OpenStatus = "active"
    visibility: Visibility = "private"
    depotId: Optional[UuidText] = None
    mileageKm: Mileage = 0.0
    inspectionDue: Optional[DateText] = None
    note: Optional[Note] = None
    tags: Tags = Field(default_factory=list)
    pin: Pin = None


class VehiclePatch(Input):
    plate: Plate = None
    make: Name40 = None
    model: Name40 = None
    year: Year = None
    status: OpenStatus = None
    visibility: Visibility = None
    depotId: Optional[UuidText] = None
    mileageKm: Mileage = None
    inspectionDue: Optional[DateText] = None
    note: Optional[Note] = None
    tags: Tags = None
    pin: Optional[Pin] = None


class TrackerInput(Input):
    deviceId: Annotated[str, Field(pattern="^TRK-[0-9]{6}$")]
    intervalSeconds: Annotated[Integer, Field(ge=5, le=3600)]
    enabled: bool = True
    home: Optional[GeoPoint] = None


class TripInput(Input):
    startedAt: DateTimeText
    endedAt: Optional[DateTimeText] = None
    distanceKm: Annotated[Number, Field(ge=0, le=10_000)]
    purpose: Literal["delivery", "service", "private"]
    driverEmail: Optional[Email] = None

    @model_validator(mode="after")
    def ends_after_start(self) -> "TripInput":
        if self.endedAt is not None \
                and position_in_time(self.endedAt) < position_in_time(self.startedAt):
            raise ValueError("endedAt should not be before startedAt")
        return self


class Notifications(Input):
    email: bool
    sms: bool


class SettingsInput(Input):
    units: Literal["metric", "imperial"]
    locale: Annotated[str, Field(max_length=5, pattern="^[a-z]{2}(-[A-Z]{2})?$")]
    pageSize: Annotated[Integer, Field(ge=1, le=100)]
    notifications: Notifications


class ExportInput(Input):
    resource: Literal["vehicles", "trips", "depots"]
    format: Literal["csv", "json"] = "csv"


# -- what is answered

class Health(BaseModel):
    status: Literal["ok"] = "ok"
    version: str = "1.4.0"


class UserView(BaseModel):
    username: str
    level: Literal["user", "admin"]


class DepotView(DepotInput):
    id: str
    createdAt: str
    updatedAt: str


class VehicleView(BaseModel):
    id: str
    owner: str
    plate: str
    make: str
    model: str
    year: int
    status: Status
    visibility: Visibility
    depotId: Optional[str]
    mileageKm: float
    inspectionDue: Optional[str]
    note: Optional[str]
    tags: list[str]
    hasPin: bool
    createdAt: str
    updatedAt: str


class TrackerView(TrackerInput):
    updatedAt: str


class TripView(BaseModel):
    id: str
    vehicleId: str
    startedAt: str
    endedAt: Optional[str]
    distanceKm: float
    purpose: str
    driverEmail: Optional[str]
    createdAt: str


class SettingsView(SettingsInput):
    updatedAt: str


class ExportView(BaseModel):
    id: str
    resource: str
    format: str
    status: Literal["pending", "done"]
    rowCount: Optional[int]
    createdAt: str
    finishedAt: Optional[str]


class Page(BaseModel):
    total: int
    limit: int
    offset: int


class DepotPage(Page):
    items: list[DepotView]


class VehiclePage(Page):
    items: list[VehicleView]


class TripPage(Page):
    items: list[TripView]


class ExportPage(Page):
    items: list[ExportView]


class Hit(BaseModel):
    kind: Literal["vehicle", "depot"]
    id: str
    label: str


class SearchView(BaseModel):
    query: str
    total: int
    items: list[Hit]


# ------------------------------------------------------------------ service

@dataclass(frozen=True)
class User:
    username: str
    level: str

    @property
    def is_admin(self) -> bool:
        return self.level == "admin"


USERS = {
    "flt_alice_7Qm2vX9rT4kZ8bN1sW6yD3hJ5gL0pC": User("alice", "user"),
    "flt_bob_K3wR8nE5tY1uV6xA9zM2qF7jH4dS0bG": User("bob", "user"),
    "flt_root_P9cL4mB7vN2xZ5sD8gK1hJ6fQ3wT0rY": User("root", "admin"),
}


@dataclass
class VehicleRecord:
    id: str
    owner: str
    body: VehicleInput
    archived: bool = False
    revision: str = field(default_factory=lambda: uuid4().hex[:16])
    created: str = field(default_factory=lambda: stamp(utcnow()))
    updated: str = ""
    tracker: Optional[TrackerView] = None
    trips: dict[str, TripView] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.updated = self.created

    @property
    def etag(self) -> str:
        return f'"{self.revision}"'

    def changed(self) -> "VehicleRecord":
        self.revision, self.updated = uuid4().hex[:16], stamp(utcnow())
        return self

    def view(self) -> VehicleView:
        values = self.body.model_dump(exclude={"pin"})
        if self.archived:
            values["status"] = "archived"
        return VehicleView(id=self.id, owner=self.owner, hasPin=self.body.pin is not None,
                           createdAt=self.created, updatedAt=self.updated, **values)


@dataclass
class ExportRecord:
    id: str
    owner: str
    order: ExportInput
    rows: int
    created: datetime
    started: float

    def view(self) -> ExportView:
        done = time.monotonic() >= self.started + EXPORT_TIME.total_seconds()
        return ExportView(
            id=self.id, resource=self.order.resource, format=self.order.format,
            status="done" if done else "pending", rowCount=self.rows if done else None,
            createdAt=stamp(self.created),
            finishedAt=stamp(self.created + EXPORT_TIME) if done else None)


def locked(method):
    @functools.wraps(method)
    def wrapper(self, *args, **kwargs):
        with self.lock:
            return method(self, *args, **kwargs)
    return wrapper


def matches(header: str, etag: str, weakly: bool) -> bool:
    if header.strip() == "*":
        return True
    listed = re.findall(r'((?:W/)?"[^"]*")', header)
    return etag in listed or (weakly and f"W/{etag}" in listed)


class FleetService:
    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.depots: dict[str, DepotView] = {}
        self.vehicles: dict[str, VehicleRecord] = {}
        self.exports: dict[str, ExportRecord] = {}
        self.settings: dict[str, SettingsView] = {}
        self.used_plates: set[str] = set()
        self.seed()

    def seed(self) -> None:
        one = "11111111-1111-4111-8111-111111111111"
        two = "22222222-2222-4222-8222-222222222222"
        at = stamp(utcnow())
        for key, name, city, lat, lon in ((one, "North Yard", "Hamburg", 53.55, 9.99),
                                          (two, "Harbour", "Rotterdam", 51.92, 4.48)):
            self.depots[key] = DepotView(
                id=key, name=name, city=city, capacity=40, kind="yard", openedOn="2015-04-01",
                position=GeoPoint(lat=lat, lon=lon), createdAt=at, updatedAt=at)
        for key, owner, plate, make, model, visibility in (
                ("aaaaaaaa-0001-4000-8000-000000000001", "alice", "HH-1001", "Volvo", "FH16",
                 "private"),
                ("aaaaaaaa-0002-4000-8000-000000000002", "alice", "HH-1002", "MAN", "TGX",
                 "shared"),
                ("bbbbbbbb-0003-4000-8000-000000000003", "bob", "RT-2001", "DAF", "XF",
                 "private")):
            self.vehicles[key] = VehicleRecord(key, owner, VehicleInput(
                plate=plate, make=make, model=model, year=2020, visibility=visibility,
                mileageKm=12500.5, depotId=one))
        first = self.vehicles["aaaaaaaa-0001-4000-8000-000000000001"]
        first.tracker = TrackerView(deviceId="TRK-000001", intervalSeconds=60, updatedAt=at)
        trip = "cccccccc-0001-4000-8000-000000000001"
        first.trips[trip] = TripView(
            id=trip, vehicleId=first.id, startedAt="2025-03-01T08:00:00Z",
            endedAt="2025-03-01T09:30:00Z", distanceKm=84.5, purpose="delivery",
            driverEmail=None, createdAt=at)

    # depots
    @locked
    def all_depots(self) -> list[DepotView]:
        return list(self.depots.values())

    @locked
    def depot(self, key: str) -> DepotView:
        try:
            return self.depots[key]
        except KeyError:
            raise NotFound("There is no depot of this id.") from None

    @locked
    def put_depot(self, key: Optional[str], document: DepotInput) -> DepotView:
        at = stamp(utcnow())
        created = self.depot(key).createdAt if key else at
        if FAULT == "depot_overwritten":
            key = key or FRESH_ID
        key = key or str(uuid4())
        self.depots[key] = DepotView(id=key, createdAt=created, updatedAt=at, **{
            name: getattr(document, name) for name in DepotInput.model_fields})
        return self.depots[key]

    @locked
    def patch_depot(self, key: str, patch: DepotPatch) -> DepotView:
        current = self.depot(key).model_dump(exclude={"id", "createdAt", "updatedAt"})
        changes = patch.model_dump(exclude_unset=True)
        if isinstance(changes.get("position"), dict):
            changes["position"] = {**(current["position"] or {}), **changes["position"]}
        try:
            merged = DepotInput.model_validate({**current, **changes})
        except ValidationError as failure:
            raise Unprocessable.of_pydantic(failure.errors()) from None
        if FAULT == "depot_patch_all":
            changes.pop("position", None)
            for other in self.depots:
                self.depots[other] = self.depots[other].model_copy(update=changes)
        return self.put_depot(key, merged)

    @locked
    def delete_depot(self, key: str) -> None:
        self.depot(key)
        if any(vehicle.body.depotId == key for vehicle in self.vehicles.values()):
            raise Conflict("There are vehicles assigned to this depot.")
        del self.depots[key]

    # vehicles
    @locked
    def visible_to(self, user: User) -> list[VehicleRecord]:
        return [vehicle for vehicle in self.vehicles.values()
                if user.is_admin or vehicle.owner == user.username
                or vehicle.body.visibility == "shared"]

    @locked
    def readable(self, user: User, key: str) -> VehicleRecord:
        vehicle = self.vehicles.get(key)
        if vehicle is None or not (user.is_admin or vehicle.owner == user.username
                                   or vehicle.body.visibility == "shared"):
            raise NotFound("There is no vehicle of this id.")
        return vehicle

    @locked
    def writable(self, user: User, key: str, if_match: Optional[str] = None) -> VehicleRecord:
        vehicle = self.readable(user, key)
        if FAULT == "shared_writable":
            return vehicle
        if not user.is_admin and vehicle.owner != user.username:
            raise Forbidden("Only its owner may change this vehicle.")
        if if_match is not None and not matches(if_match, vehicle.etag, weakly=False):
            raise PreconditionFailed("The vehicle has another entity tag by now.")
        return vehicle

    def changeable(self, user: User, key: str, if_match: Optional[str] = None) -> VehicleRecord:
        vehicle = self.writable(user, key, if_match)
        if vehicle.archived:
            raise Conflict("The vehicle is archived.")
        return vehicle

    def _verify(self, body: VehicleInput, key: Optional[str] = None) -> None:
        if body.depotId is not None and body.depotId not in self.depots:
            raise Unprocessable.of("depotId", "There is no such depot")
        if any(vehicle.body.plate == body.plate and vehicle.id != key
               for vehicle in self.vehicles.values()):
            raise Conflict("The plate is taken.")
        if FAULT == "plate_kept" and body.plate in self.used_plates:
            raise Conflict("The plate is taken.")

    @locked
    def create_vehicle(self, user: User, body: VehicleInput) -> tuple[VehicleView, str]:
        self._verify(body)
        vehicle = VehicleRecord(str(uuid4()), user.username, body)
        self.vehicles[vehicle.id] = vehicle
        return vehicle.view(), vehicle.etag

    @locked
    def show_vehicle(self, user: User, key: str) -> tuple[VehicleView, str]:
        vehicle = self.readable(user, key)
        return vehicle.view(), vehicle.etag

    @locked
    def list_vehicles(self, user: User, status: Optional[str]) -> list[VehicleView]:
        views = [vehicle.view() for vehicle in self.visible_to(user)]
        if FAULT == "newest_missing":
            views = views[:-1]
        return [view for view in views if status is None or view.status == status]

    @locked
    def replace_vehicle(self, user: User, key: str, if_match: Optional[str],
                        body: VehicleInput) -> tuple[VehicleView, str]:
        vehicle = self.changeable(user, key, if_match)
        self._verify(body, key)
        vehicle.body = body
        return vehicle.changed().view(), vehicle.etag

    @locked
    def patch_vehicle(self, user: User, key: str, if_match: Optional[str],
                      patch: VehiclePatch) -> tuple[VehicleView, str]:
        vehicle = self.changeable(user, key, if_match)
        body = vehicle.body.model_copy(update=patch.model_dump(exclude_unset=True))
        self._verify(body, key)
        vehicle.body = body
        return vehicle.changed().view(), vehicle.etag

    @locked
    def delete_vehicle(self, user: User, key: str, if_match: Optional[str]) -> None:
        self.writable(user, key, if_match)
        self.used_plates.add(self.vehicles[key].body.plate)
        del self.vehicles[key]

    @locked
    def archive_vehicle(self, user: User, key: str) -> tuple[VehicleView, str]:
        vehicle = self.changeable(user, key)
        vehicle.archived = True
        return vehicle.changed().view(), vehicle.etag

    @locked
    def tracker(self, user: User, key: str) -> TrackerView:
        tracker = self.readable(user, key).tracker
        if tracker is None:
            raise NotFound("This vehicle has no tracker.")
        return tracker

    @locked
    def put_tracker(self, user: User, key: str, body: TrackerInput) -> tuple[TrackerView, bool]:
        vehicle = self.changeable(user, key)
        new = vehicle.tracker is None
        vehicle.tracker = TrackerView(**dict(body), updatedAt=stamp(utcnow()))
        if FAULT == "tracker_never_off":
            answer = vehicle.tracker
            vehicle.tracker = answer.model_copy(update={"enabled": body.enabled or True})
            return answer, new
        return vehicle.tracker, new

    # trips
    @locked
    def trips(self, user: User, key: str) -> list[TripView]:
        return list(self.readable(user, key).trips.values())

    @locked
    def trip(self, user: User, key: str, trip_key: str) -> TripView:
        trip = self.readable(user, key).trips.get(trip_key)
        if trip is None:
            raise NotFound("There is no trip of this id.")
        return trip

    @locked
    def create_trip(self, user: User, key: str, body: TripInput) -> TripView:
        vehicle = self.changeable(user, key)
        trip = TripView(id=str(uuid4()), vehicleId=key, createdAt=stamp(utcnow()), **dict(body))
        if FAULT == "distance_rounded":
            trip.distanceKm = float(int(trip.distanceKm))
        vehicle.trips[trip.id] = trip
        return trip

    @locked
    def delete_trip(self, user: User, key: str, trip_key: str) -> None:
        vehicle = self.writable(user, key)
        self.trip(user, key, trip_key)
        self.changeable(user, key)
        del vehicle.trips[trip_key]

    # the rest
    @locked
    def search(self, user: User, wanted: str) -> list[Hit]:
        needle = wanted.casefold()

        def has(*texts: str) -> bool:
            return any(needle in text.casefold() for text in texts)
        hits = [Hit(kind="vehicle", id=v.id, label=f"{v.body.plate} {v.body.make} {v.body.model}")
                for v in (self.vehicles.values() if FAULT == "search_leaks"
                          else self.visible_to(user)) if has(v.body.plate, v.body.make, v.body.model)]
        hits += [Hit(kind="depot", id=d.id, label=f"{d.name}, {d.city}")
                 for d in self.depots.values() if has(d.name, d.city)]
        return hits

    @locked
    def get_settings(self, user: User) -> SettingsView:
        return self.settings.get(user.username) or SettingsView(
            units="metric", locale="en", pageSize=20, updatedAt="2025-01-01T00:00:00Z",
            notifications=Notifications(email=True, sms=False))

    @locked
    def put_settings(self, user: User, body: SettingsInput) -> SettingsView:
        view = SettingsView(**dict(body), updatedAt=stamp(utcnow()))
        self.settings[user.username] = view
        return view

    @locked
    def start_export(self, user: User, order: ExportInput) -> ExportView:
        seen = self.visible_to(user)
        if order.resource == "vehicles":
            rows = len(seen)
        elif order.resource == "trips":
            rows = sum(len(vehicle.trips) for vehicle in seen)
        else:
            rows = len(self.depots)
        record = ExportRecord(str(uuid4()), user.username, order, rows, utcnow(),
                              time.monotonic())
        self.exports[record.id] = record
        return record.view()

    @locked
    def list_exports(self, user: User) -> list[ExportView]:
        return [e.view() for e in self.exports.values() if e.owner == user.username]

    @locked
    def export(self, user: User, key: str) -> ExportView:
        record = self.exports.get(key)
        if record is None or record.owner != user.username:
            raise NotFound("There is no export of this id.")
        if FAULT == "export_lost" and record.view().status == "done":
            del self.exports[key]
            raise NotFound("There is no export of this id.")
        return record.view()

    @locked
    def delete_export(self, user: User, key: str) -> None:
        self.export(user, key)
        del self.exports[key]


# ------------------------------------------------------------- dependencies

async def service(request: Request) -> FleetService:
    return request.app.state.fleet


async def current_user(request: Request) -> User:
    header = request.headers.get("authorization", "")
    if FAULT == "head_open" and not header and request.scope.get("head"):
        return User("root", "admin")
    scheme, _, token = header.partition(" ")
    token = token.lstrip(" ")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("Send a bearer token.")
    user = None
    for known, candidate in USERS.items():
        if secrets.compare_digest(known.encode(), token.encode("utf-8", "replace")):
            user = candidate
    if user is None:
        raise Unauthenticated("This token is not known.")
    return user


Fleet = Annotated[FleetService, Depends(service)]
CurrentUser = Annotated[User, Depends(current_user)]
IfMatch = Annotated[Optional[str], Header()]


async def readable_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet) -> str:
    fleet.readable(user, vehicle_id)
    return vehicle_id


async def writable_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet) -> str:
    fleet.writable(user, vehicle_id)
    return vehicle_id


async def existing_depot(depot_id: str, fleet: Fleet) -> str:
    fleet.depot(depot_id)
    return depot_id


ReadableId = Annotated[str, Depends(readable_vehicle)]
WritableId = Annotated[str, Depends(writable_vehicle)]
ExistingDepotId = Annotated[str, Depends(existing_depot)]


def demand_media_type(request: Request, expected: str) -> None:
    message = Message()
    message["content-type"] = request.headers.get("content-type", "")
    charset = str(message.get_param("charset", "utf-8")).lower()
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    coding = request.headers.get("content-encoding", "identity").lower()
    if given != expected or charset not in ("utf-8", "utf8") or coding != "identity":
        raise WrongMediaType(f"Send {expected}.")


def media_type(expected: str):
    async def dependency(request: Request) -> None:
        demand_media_type(request, expected)
    return Depends(dependency)


async def matching_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet,
                           if_match: IfMatch = None) -> None:
    fleet.writable(user, vehicle_id, if_match)


def _constant(name: str):
    raise ValueError(name)


def _big_integer(digits: str):
    return int(digits) if len(digits) < 300 else float(digits)


def body_of(model: type[Input], expected: str = "application/json"):
    """The request body as the model; its own reader because the contract tells 400 from 422."""
    async def dependency(request: Request) -> Input:
        demand_media_type(request, expected)
        received = bytearray()
        try:
            async for chunk in request.stream():
                received += chunk
                if len(received) > MAX_BODY:
                    raise TooLarge(f"Send at most {MAX_BODY} bytes.")
        except ClientDisconnect:
            raise MalformedBody("The body ended early.") from None
        try:
            document = json.loads(received.decode("utf-8"), parse_constant=_constant,
                                  parse_int=_big_integer)
        except (ValueError, RecursionError):
            raise MalformedBody("This is not JSON.") from None
        try:
            json.dumps(document, ensure_ascii=False).encode("utf-8")
        except (ValueError, RecursionError):
            raise Unprocessable("A text in the body is not Unicode.") from None
        try:
            return model.model_validate(document)
        except ValidationError as failure:
            raise Unprocessable.of_pydantic(
                failure.errors(include_url=False, include_input=False)) from None
    return Depends(dependency)


async def single_query_values(request: Request) -> None:
    for name in ("limit", "offset", "status", "q"):
        if len(request.query_params.getlist(name)) > 1:
            raise Unprocessable.of(name, "Given more than once")


@dataclass
class Window:
    limit: Annotated[QueryInteger, Query(ge=1, le=100)] = 20
    offset: Annotated[QueryInteger, Query(ge=0, le=1_000_000)] = 0

    def cut(self, items: list) -> dict[str, Any]:
        return {"items": items[self.offset:self.offset + self.limit], "total": len(items),
                "limit": self.limit, "offset": self.offset}


Paging = Annotated[Window, Depends()]

# ------------------------------------------------------------------- routes

public = APIRouter()
api = APIRouter(dependencies=[Depends(current_user), Depends(single_query_values)])


@public.get("/health")
async def get_health() -> Health:
    return Health()


@api.get("/me")
async def get_me(user: CurrentUser) -> UserView:
    return UserView(username=user.username, level=user.level)


@api.get("/settings")
async def get_settings(user: CurrentUser, fleet: Fleet) -> SettingsView:
    return fleet.get_settings(user)


@api.put("/settings")
async def put_settings(user: CurrentUser, fleet: Fleet,
                       body: Annotated[SettingsInput, body_of(SettingsInput)]) -> SettingsView:
    return fleet.put_settings(user, body)


@api.get("/search")
async def search(user: CurrentUser, fleet: Fleet,
                 q: Annotated[str, Query(min_length=1, max_length=64)],
                 limit: Annotated[QueryInteger, Query(ge=1, le=50)] = 10) -> SearchView:
    hits = fleet.search(user, q)
    return SearchView(query=q, total=len(hits), items=hits[:limit])


@api.get("/depots")
async def list_depots(fleet: Fleet, paging: Paging) -> DepotPage:
    return DepotPage(**paging.cut(fleet.all_depots()))


@api.post("/depots", status_code=201)
async def create_depot(fleet: Fleet, response: Response,
                       body: Annotated[DepotDocument, body_of(DepotDocument)]) -> DepotView:
    depot = fleet.put_depot(None, body)
    response.headers["Location"] = f"/depots/{depot.id}"
    return depot


@api.get("/depots/{depot_id}", response_model_exclude_none=FAULT == "nulls_dropped")
async def get_depot(depot_id: str, fleet: Fleet) -> DepotView:
    return fleet.depot(depot_id)


@api.put("/depots/{depot_id}")
async def replace_depot(depot_id: ExistingDepotId, fleet: Fleet,
                        body: Annotated[DepotDocument, body_of(DepotDocument)]) -> DepotView:
    return fleet.put_depot(depot_id, body)


@api.patch("/depots/{depot_id}")
async def patch_depot(depot_id: ExistingDepotId, fleet: Fleet,
                      body: Annotated[DepotPatch, body_of(DepotPatch, MERGE_PATCH)]) -> DepotView:
    return fleet.patch_depot(depot_id, body)


@api.delete("/depots/{depot_id}", status_code=204, response_class=Response)
async def delete_depot(depot_id: str, user: CurrentUser, fleet: Fleet) -> None:
    if not user.is_admin and FAULT != "depot_delete_users":
        raise Forbidden("Depots are deleted by admins.")
    fleet.delete_depot(depot_id)


@api.get("/vehicles")
async def list_vehicles(user: CurrentUser, fleet: Fleet, paging: Paging,
                        status: Optional[Status] = None) -> VehiclePage:
    return VehiclePage(**paging.cut(fleet.list_vehicles(user, status)))


@api.post("/vehicles", status_code=201)
async def create_vehicle(user: CurrentUser, fleet: Fleet, response: Response,
                         body: Annotated[VehicleInput, body_of(VehicleInput)]) -> VehicleView:
    view, response.headers["ETag"] = fleet.create_vehicle(user, body)
    response.headers["Location"] = f"/vehicles/{view.id}"
    return view


@api.get("/vehicles/{vehicle_id}", response_model=VehicleView)
async def get_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet, response: Response,
                      if_none_match: Annotated[Optional[str], Header()] = None):
    view, etag = fleet.show_vehicle(user, vehicle_id)
    if if_none_match is not None and matches(if_none_match, etag, weakly=True):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return view


@api.put("/vehicles/{vehicle_id}", dependencies=[
    Depends(writable_vehicle), media_type("application/json"), Depends(matching_vehicle)])
async def replace_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet, response: Response,
                          body: Annotated[VehicleInput, body_of(VehicleInput)],
                          if_match: IfMatch = None) -> VehicleView:
    view, response.headers["ETag"] = fleet.replace_vehicle(user, vehicle_id, if_match, body)
    return view


@api.patch("/vehicles/{vehicle_id}", dependencies=[
    Depends(writable_vehicle), media_type(MERGE_PATCH), Depends(matching_vehicle)])
async def patch_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet, response: Response,
                        body: Annotated[VehiclePatch, body_of(VehiclePatch, MERGE_PATCH)],
                        if_match: IfMatch = None) -> VehicleView:
    view, response.headers["ETag"] = fleet.patch_vehicle(user, vehicle_id, if_match, body)
    return view


@api.delete("/vehicles/{vehicle_id}", status_code=204, response_class=Response)
async def delete_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet,
                         if_match: IfMatch = None) -> None:
    fleet.delete_vehicle(user, vehicle_id, if_match)


@api.post("/vehicles/{vehicle_id}/archive")
async def archive_vehicle(vehicle_id: str, user: CurrentUser, fleet: Fleet,
                          response: Response) -> VehicleView:
    view, response.headers["ETag"] = fleet.archive_vehicle(user, vehicle_id)
    return view


@api.get("/vehicles/{vehicle_id}/tracker")
async def get_tracker(vehicle_id: str, user: CurrentUser, fleet: Fleet) -> TrackerView:
    return fleet.tracker(user, vehicle_id)


@api.put("/vehicles/{vehicle_id}/tracker")
async def put_tracker(vehicle_id: WritableId, user: CurrentUser, fleet: Fleet,
                      response: Response,
                      body: Annotated[TrackerInput, body_of(TrackerInput)]) -> TrackerView:
    view, new = fleet.put_tracker(user, vehicle_id, body)
    if new:
        response.status_code = 201
        response.headers["Location"] = f"/vehicles/{vehicle_id}/tracker"
    return view


@api.get("/vehicles/{vehicle_id}/trips")
async def list_trips(vehicle_id: ReadableId, user: CurrentUser, fleet: Fleet,
                     paging: Paging) -> TripPage:
    return TripPage(**paging.cut(fleet.trips(user, vehicle_id)))


@api.post("/vehicles/{vehicle_id}/trips", status_code=201)
async def create_trip(vehicle_id: WritableId, user: CurrentUser, fleet: Fleet,
                      response: Response,
                      body: Annotated[TripInput, body_of(TripInput)]) -> TripView:
    trip = fleet.create_trip(user, vehicle_id, body)
    response.headers["Location"] = f"/vehicles/{vehicle_id}/trips/{trip.id}"
    if FAULT == "location_wrong":
        response.headers["Location"] = f"/trips/{trip.id}"
    return trip


@api.get("/vehicles/{vehicle_id}/trips/{trip_id}")
async def get_trip(vehicle_id: str, trip_id: str, user: CurrentUser, fleet: Fleet) -> TripView:
    return fleet.trip(user, vehicle_id, trip_id)


@api.delete("/vehicles/{vehicle_id}/trips/{trip_id}", status_code=204, response_class=Response)
async def delete_trip(vehicle_id: str, trip_id: str, user: CurrentUser, fleet: Fleet) -> None:
    fleet.delete_trip(user, vehicle_id, trip_id)


@api.get("/exports")
async def list_exports(user: CurrentUser, fleet: Fleet, paging: Paging) -> ExportPage:
    return ExportPage(**paging.cut(fleet.list_exports(user)))


@api.post("/exports", status_code=202)
async def start_export(user: CurrentUser, fleet: Fleet, response: Response,
                       body: Annotated[ExportInput, body_of(ExportInput)]) -> ExportView:
    view = fleet.start_export(user, body)
    response.headers["Location"] = f"/exports/{view.id}"
    response.headers["Retry-After"] = "1"
    return view


@api.get("/exports/{export_id}")
async def get_export(export_id: str, user: CurrentUser, fleet: Fleet) -> ExportView:
    return fleet.export(user, export_id)


@api.delete("/exports/{export_id}", status_code=204, response_class=Response)
async def delete_export(export_id: str, user: CurrentUser, fleet: Fleet) -> None:
    fleet.delete_export(user, export_id)


# ---------------------------------------------------------------------- app

class HeadAsGet:
    """HEAD is answered like GET, without the body."""

    def __init__(self, app) -> None:
        self.app = app

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)

        async def send_without_body(message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)
        await self.app({**scope, "method": "GET", "head": True}, receive, send_without_body)


ALLOWED: list[tuple[re.Pattern, set[str]]] = []
for _router in (public, api):
    for _route in _router.routes:
        ALLOWED.append((re.compile(re.sub(r"\{[^}]+\}", "[^/]+", _route.path)),
                        set(_route.methods)))


def allowed_methods(path: str) -> str:
    methods = {"OPTIONS"}
    for pattern, some in ALLOWED:
        if pattern.fullmatch(path):
            methods |= some
    if "GET" in methods:
        methods.add("HEAD")
    return ", ".join(sorted(methods))


async def on_api_error(request: Request, error: ApiError) -> Response:
    return problem(error.status, error.title, error.detail, error.errors, error.headers)


async def on_validation_error(request: Request, error: RequestValidationError) -> Response:
    if FAULT == "query_error_json":
        return JSONResponse({"type": "/problems/422", "title": "Validation failed",
                             "status": 422}, status_code=422)
    return await on_api_error(request, Unprocessable.of_pydantic(list(error.errors())))


async def on_http_error(request: Request, error: StarletteHTTPException) -> Response:
    if error.status_code == 405:
        headers = {"Allow": allowed_methods(request.scope["path"])}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
        return problem(405, "Method not allowed", headers=headers)
    title = "Not found" if error.status_code == 404 else str(error.detail)
    return problem(error.status_code, title, headers=error.headers)


async def on_crash(request: Request, error: Exception) -> Response:
    return problem(500, "Internal server error")


def create_app() -> FastAPI:
    app = FastAPI(title="Fleet API", version="1.4.0", openapi_url=None, docs_url=None,
                  redoc_url=None, redirect_slashes=False)
    app.state.fleet = FleetService()
    app.include_router(public)
    app.include_router(api)
    app.add_exception_handler(ApiError, on_api_error)
    app.add_exception_handler(RequestValidationError, on_validation_error)
    app.add_exception_handler(StarletteHTTPException, on_http_error)
    app.add_exception_handler(Exception, on_crash)
    app.add_middleware(HeadAsGet)
    return app


def serve(port: int) -> None:
    import h11
    import uvicorn
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class ProblemProtocol(H11Protocol):
        """What is not even HTTP is answered with a problem document, too."""

        def send_400_response(self, msg: str) -> None:
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                body = json.dumps({"type": "/problems/400", "title": "Malformed request",
                                   "status": 400, "detail": msg}).encode()
                head = h11.Response(status_code=400, reason=b"Bad Request", headers=[
                    (b"content-type", b"application/problem+json"),
                    (b"content-length", str(len(body)).encode()), (b"connection", b"close")])
                for event in (head, h11.Data(data=body), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
            self.transport.close()

    uvicorn.run(create_app(), host="127.0.0.1", port=port, log_level="warning",
                http=ProblemProtocol)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
