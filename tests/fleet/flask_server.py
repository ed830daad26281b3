"""Fleet API, Flask edition.  Usage: python flask_server.py PORT"""
import datetime as dt
import hmac
import json
import os
import re
import sys
import threading
import time
import uuid
from decimal import Decimal

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

TOKENS = {
    "flt_alice_7Qm2vX9rT4kZ8bN1sW6yD3hJ5gL0pC": ("alice", "user"),
    "flt_bob_K3wR8nE5tY1uV6xA9zM2qF7jH4dS0bG": ("bob", "user"),
    "flt_root_P9cL4mB7vN2xZ5sD8gK1hJ6fQ3wT0rY": ("root", "admin"),
}
BODY_LIMIT = 64 * 1024
EXPORT_SECONDS = 1.0
JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
TITLES = {
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
    405: "Method Not Allowed", 409: "Conflict", 412: "Precondition Failed",
    413: "Content Too Large", 415: "Unsupported Media Type", 422: "Unprocessable Content",
    500: "Internal Server Error",
}
MISSING = object()
FAULT = os.environ.get("FAULT", "")  # one planted fault, see faults.yaml


class Problem(Exception):
    def __init__(self, status, detail, errors=None, headers=None):
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.headers = headers or {}


def problem_response(status, detail, errors=None, headers=None):
    doc = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status,
           "detail": detail}
    if errors:
        doc["errors"] = errors
    return Response(json.dumps(doc), status, headers=headers,
                    content_type="application/problem+json")


def reply(doc, status=200, headers=None):
    return Response(json.dumps(doc), status, headers=headers, content_type=JSON)


def no_content():
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


# --------------------------------------------------------------- validation

class Field:
    """One member of a request body: a check and what stands for an omitted member."""

    def __init__(self, check, required=False, default=MISSING, nullable=False):
        self.check, self.required = check, required
        self.default, self.nullable = default, nullable

    def optional(self, nullable=None):
        return Field(self.check, nullable=self.nullable if nullable is None else nullable)


def is_integer(value):
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, float) and value.is_integer())


def text(low=0, high=None, pattern=None, also=None, upper=False):
    compiled = re.compile(pattern) if pattern else None

    def check(value, path, errors):
        if not isinstance(value, str):
            errors.append((path, "must be a string"))
        elif len(value) < low:
            errors.append((path, f"must have at least {low} characters"))
        elif high is not None and len(value) > high:
            errors.append((path, f"must have at most {high} characters"))
        elif compiled and not compiled.fullmatch(value):
            errors.append((path, "does not match the pattern"))
        elif also:
            message = also(value)
            if message:
                errors.append((path, message))
            elif upper:
                return value.upper()
        return value
    return check


def integer(low, high):
    def check(value, path, errors):
        if not is_integer(value):
            errors.append((path, "must be an integer"))
            return value
        if not low <= value <= high:
            errors.append((path, f"must be from {low} to {high}"))
            return value
        return int(value)
    return check


def number(low, high):
    def check(value, path, errors):
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            errors.append((path, "must be a number"))
        elif not low <= value <= high:
            errors.append((path, f"must be from {low} to {high}"))
        return value
    return check


def boolean(value, path, errors):
    if not isinstance(value, bool):
        errors.append((path, "must be true or false"))
    return value


def one_of(*choices):
    def check(value, path, errors):
        if not isinstance(value, str) or value not in choices:
            errors.append((path, "must be one of " + ", ".join(choices)))
        return value
    return check


def tag_list(value, path, errors):
    if not isinstance(value, list) and not (FAULT == "tags_null_crash" and value is None):
        errors.append((path, "must be an array"))
        return value
    if len(value) > 10:
        errors.append((path, "must have at most 10 items"))
        return value
    each = text(pattern=r"[a-z0-9-]{1,20}")
    for index, item in enumerate(value):
        each(item, f"{path}/{index}", errors)
    strings = [item for item in value if isinstance(item, str)]
    if len(set(strings)) != len(strings):
        errors.append((path, "must not have equal items"))
    return value


def record(fields):
    def check(value, path, errors):
        if not isinstance(value, dict):
            errors.append((path, "must be an object"))
            return value
        result = {}
        for name in value:
            if name not in fields:
                errors.append((f"{path}/{name[:60]}", "is not a known member"))
        for name, field in fields.items():
            item = value.get(name, MISSING)
            if item is MISSING:
                if field.required:
                    errors.append((f"{path}/{name}", "is required"))
                elif field.default is not MISSING:
                    default = field.default
                    result[name] = list(default) if isinstance(default, list) else default
            elif item is None and field.nullable:
                result[name] = None
            else:
                result[name] = field.check(item, f"{path}/{name}", errors)
        return result
    return check


def bad_uuid(value):
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", value):
        return "must be a UUID"


def bad_date(value):
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            dt.date.fromisoformat(value)
            return None
        except ValueError:
            pass
    return "must be a date"


STAMP = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})"
                   r"(\.[0-9]+)?(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))")


def instant(value):
    """Seconds since year 1 of an RFC 3339 date-time; None if it is not one."""
    match = STAMP.fullmatch(value)
    if not match or bad_date(match[1]):
        return None
    hour, minute, second = int(match[2]), int(match[3]), int(match[4])
    shift = 0
    if match[6]:
        if int(match[7]) > 23 or int(match[8]) > 59:
            return None
        shift = (int(match[7]) * 60 + int(match[8])) * (1 if match[6] == "+" else -1)
    if hour > 23 or minute > 59 or second > 59:
        return None
    minutes = hour * 60 + minute - shift
    days = dt.date.fromisoformat(match[1]).toordinal()
    return days * 86400 + minutes * 60 + second + Decimal("0" + (match[5] or ".0"))


def bad_stamp(value):
    return "must be an RFC 3339 date-time" if instant(value) is None else None


PLATE = r"[A-Z]{2,3}-[0-9]{3,5}"
EMAIL = (r"[A-Za-z0-9]+([._+-][A-Za-z0-9]+)*@[A-Za-z0-9]+(-[A-Za-z0-9]+)*"
         r"(\.[A-Za-z0-9]+(-[A-Za-z0-9]+)*)+")
LAT, LON = number(-90, 90), number(-180, 180)
POINT = record({"lat": Field(LAT, required=True), "lon": Field(LON, required=True)})

DEPOT_FIELDS = {
    "name": Field(text(1, 80), required=True),
    "city": Field(text(1, 60), required=True),
    "capacity": Field(integer(1, 500), required=True),
    "kind": Field(one_of("garage", "yard", "port"), default="garage"),
    "openedOn": Field(text(also=bad_date), default=None, nullable=True),
    "position": Field(POINT, default=None, nullable=True),
}
DEPOT_READ_ONLY = {
    "id": Field(text(also=bad_uuid)),
    "createdAt": Field(text(also=bad_stamp, upper=True)),
    "updatedAt": Field(text(also=bad_stamp, upper=True)),
}
DEPOT = record({**DEPOT_FIELDS, **DEPOT_READ_ONLY})
DEPOT_PATCH = record({
    **{name: field.optional() for name, field in DEPOT_FIELDS.items()},
    "position": Field(record({"lat": Field(LAT), "lon": Field(LON)}), nullable=True),
})
VEHICLE_FIELDS = {
    "plate": Field(text(pattern=PLATE), required=True),
    "make": Field(text(1, 40), required=True),
    "model": Field(text(1, 40), required=True),
    "year": Field(integer(1980, 2030), required=True),
    "status": Field(one_of("active", "maintenance"), default="active"),
    "visibility": Field(one_of("private", "shared"), default="private"),
    "depotId": Field(text(also=bad_uuid), default=None, nullable=True),
    "mileageKm": Field(number(0, 2000000), default=0),
    "inspectionDue": Field(text(also=bad_date), default=None, nullable=True),
    "note": Field(text(0, 500), default=None, nullable=True),
    "tags": Field(tag_list, default=[]),
}
PIN = text(pattern=r"[0-9]{4,6}")
VEHICLE = record({**VEHICLE_FIELDS, "pin": Field(PIN)})
VEHICLE_PATCH = record({
    **{name: field.optional() for name, field in VEHICLE_FIELDS.items()},
    "pin": Field(PIN, nullable=True),
})
TRACKER = record({
    "deviceId": Field(text(pattern=r"TRK-[0-9]{6}"), required=True),
    "intervalSeconds": Field(integer(5, 3600), required=True),
    "enabled": Field(boolean, default=True),
    "home": Field(POINT, default=None, nullable=True),
})
TRIP = record({
    "startedAt": Field(text(also=bad_stamp, upper=True), required=True),
    "endedAt": Field(text(also=bad_stamp, upper=True), default=None, nullable=True),
    "distanceKm": Field(number(0, 10000), required=True),
    "purpose": Field(one_of("delivery", "service", "private"), required=True),
    "driverEmail": Field(text(0, 64, EMAIL), default=None, nullable=True),
})
SETTINGS = record({
    "units": Field(one_of("metric", "imperial"), required=True),
    "locale": Field(text(0, 5, r"[a-z]{2}(-[A-Z]{2})?"), required=True),
    "pageSize": Field(integer(1, 100), required=True),
    "notifications": Field(record({"email": Field(boolean, required=True),
                                   "sms": Field(boolean, required=True)}), required=True),
})
EXPORT = record({
    "resource": Field(one_of("vehicles", "trips", "depots"), required=True),
    "format": Field(one_of("csv", "json"), default="csv"),
})


def invalid(errors):
    listed = [{"field": path, "message": message} for path, message in errors[:20]]
    return Problem(422, "The request is not valid.", listed)


def check(schema, document):
    errors = []
    result = schema(document, "", errors)
    if errors:
        raise invalid(errors)
    return result


def refuse_constant(name):
    raise ValueError(f"{name} is not JSON")


def parse_int(digits):
    if len(digits) > 400:
        return float("-inf") if digits.startswith("-") else float("inf")
    return int(digits)


def receive():
    """The raw body, of a known length or chunked; 413 as soon as it is too long."""
    raw = b""
    if (request.content_length or 0) <= BODY_LIMIT:
        while len(raw) <= BODY_LIMIT:
            more = request.stream.read(BODY_LIMIT + 1 - len(raw))
            if not more:
                return raw
            raw += more
    raise Problem(413, f"The body may have {BODY_LIMIT} bytes at most.")


def read_body(schema, media_type=JSON):
    """The request body, checked: 415, 413, 400 and 422 in that order."""
    check_media_type(media_type)
    try:
        raw = receive()
    except (OSError, HTTPException):
        raise Problem(400, "The body could not be read.")
    try:
        document = json.loads(raw.decode("utf-8"), parse_constant=refuse_constant,
                              parse_int=parse_int)
    except (ValueError, RecursionError):
        raise Problem(400, "The body is not well-formed JSON.")
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Problem(422, "The body holds a text that is not Unicode.")
    return check(schema, document)


def check_media_type(media_type):
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if request.mimetype != media_type or charset not in ("utf-8", "utf8") \
            or encoding != "identity":
        raise Problem(415, f"The body must be {media_type}.")


def query_value(name, default=MISSING):
    values = request.args.getlist(name)
    if len(values) > 1:
        raise invalid([(name, "is given more than once")])
    if not values:
        if default is MISSING:
            raise invalid([(name, "is required")])
        return default
    return values[0]


def query_integer(name, low, high, default):
    value = query_value(name, None)
    if value is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,12}", value):
        raise invalid([(name, "must be an integer")])
    if not low <= int(value) <= high:
        raise invalid([(name, f"must be from {low} to {high}")])
    return int(value)


def page_window():
    return query_integer("limit", 1, 100, 20), query_integer("offset", 0, 1000000, 0)


def page(items, window):
    limit, offset = window
    first = max(offset - 1, 0) if FAULT == "page_overlap" else offset
    return reply({"items": items[first:first + limit], "total": len(items),
                  "limit": limit, "offset": offset})


def now():
    return dt.datetime.now(dt.timezone.utc).isoformat(timespec="milliseconds") \
        .replace("+00:00", "Z")


# -------------------------------------------------------------------- state

class Fleet:
    def __init__(self):
        self.lock = threading.RLock()
        self.deleted_trips = set()
        self.depots, self.vehicles, self.exports, self.settings = {}, {}, {}, {}
        for fixed, name, city, lat, lon in (
                ("11111111-1111-4111-8111-111111111111", "North Yard", "Hamburg", 53.55, 9.99),
                ("22222222-2222-4222-8222-222222222222", "Harbour", "Rotterdam", 51.92, 4.48)):
            self.depots[fixed] = {
                "id": fixed, "name": name, "city": city, "capacity": 40, "kind": "yard",
                "openedOn": "2015-04-01", "position": {"lat": lat, "lon": lon},
                "createdAt": now(), "updatedAt": now()}
        seeds = (
            ("aaaaaaaa-0001-4000-8000-000000000001", "alice", "HH-1001", "Volvo", "FH16", "private"),
            ("aaaaaaaa-0002-4000-8000-000000000002", "alice", "HH-1002", "MAN", "TGX", "shared"),
            ("bbbbbbbb-0003-4000-8000-000000000003", "bob", "RT-2001", "DAF", "XF", "private"))
        for fixed, owner, plate, make, model, visibility in seeds:
            data = check(VEHICLE, {"plate": plate, "make": make, "model": model, "year": 2020,
                                   "visibility": visibility, "mileageKm": 12500.5,
                                   "depotId": "11111111-1111-4111-8111-111111111111"})
            self.add_vehicle(owner, data, fixed)
        first = self.vehicles[seeds[0][0]]
        first["tracker"] = {"deviceId": "TRK-000001", "intervalSeconds": 60, "enabled": True,
                            "home": None, "updatedAt": now()}
        self.add_trip(first, check(TRIP, {
            "startedAt": "2025-03-01T08:00:00Z", "endedAt": "2025-03-01T09:30:00Z",
            "distanceKm": 84.5, "purpose": "delivery"}),
            "cccccccc-0001-4000-8000-000000000001")

    def add_vehicle(self, owner, data, fixed=None):
        vehicle = {"id": fixed or str(uuid.uuid4()), "owner": owner, "data": data, "version": 1,
                   "tracker": None, "trips": {}, "createdAt": now()}
        vehicle["updatedAt"] = vehicle["createdAt"]
        self.vehicles[vehicle["id"]] = vehicle
        return vehicle

    @staticmethod
    def add_trip(vehicle, data, fixed=None):
        trip = {"id": fixed or str(uuid.uuid4()), "vehicleId": vehicle["id"], **data,
                "createdAt": now()}
        vehicle["trips"][trip["id"]] = trip
        return trip

    def depot(self, depot_id):
        if depot_id not in self.depots:
            raise Problem(404, "There is no such depot.")
        return self.depots[depot_id]

    def visible(self, user, level):
        return [v for v in self.vehicles.values()
                if level == "admin" or v["owner"] == user or v["data"]["visibility"] == "shared"]

    def vehicle(self, vehicle_id, write=False):
        vehicle = self.vehicles.get(vehicle_id)
        own = vehicle and (g.level == "admin" or vehicle["owner"] == g.user)
        if not vehicle or not (own or vehicle["data"]["visibility"] == "shared"):
            raise Problem(404, "There is no such vehicle.")
        if write and not own:
            raise Problem(403, "The vehicle belongs to somebody else.")
        return vehicle

    def trip(self, vehicle, trip_id):
        if trip_id not in vehicle["trips"]:
            raise Problem(404, "There is no such trip.")
        return vehicle["trips"][trip_id]

    def export(self, export_id):
        export = self.exports.get(export_id)
        if not export or export["owner"] != g.user:
            raise Problem(404, "There is no such export.")
        return export

    def check_references(self, data, own_id=None):
        depot_id = data.get("depotId")
        if depot_id is not None and depot_id not in self.depots:
            raise invalid([("/depotId", "there is no such depot")])
        for other in self.vehicles.values():
            if other["id"] != own_id and other["data"]["plate"] == data["plate"]:
                raise Problem(409, "Another vehicle has this plate.")

    @staticmethod
    def touch(vehicle):
        vehicle["version"] += 1
        vehicle["updatedAt"] = now()


def refuse_archived(vehicle):
    if vehicle["data"]["status"] == "archived":
        raise Problem(409, "The vehicle is archived.")


def etag(vehicle):
    return f'"{vehicle["id"][:8]}-{vehicle["version"]}"'


def tag_listed(header, tag, weak):
    if header.strip() == "*":
        return True
    for prefix, found in re.findall(r'(W/)?("[^"]*")', header):
        if found == tag and (weak or not prefix):
            return True
    return False


def check_if_match(vehicle):
    header = request.headers.get("If-Match")
    if header is not None and not tag_listed(header, etag(vehicle), weak=False):
        raise Problem(412, "The vehicle has changed.")


def show_vehicle(vehicle):
    data = {name: value for name, value in vehicle["data"].items() if name != "pin"}
    return {"id": vehicle["id"], "owner": vehicle["owner"], **data,
            "hasPin": vehicle["data"].get("pin") is not None,
            "createdAt": vehicle["createdAt"], "updatedAt": vehicle["updatedAt"]}


def vehicle_reply(vehicle, status=200, headers=None):
    return reply(show_vehicle(vehicle), status, {"ETag": etag(vehicle), **(headers or {})})


def show_export(export):
    done = time.monotonic() - export["started"] >= EXPORT_SECONDS
    if FAULT == "export_stuck":
        done = False
    return {"id": export["id"], "resource": export["resource"], "format": export["format"],
            "status": "done" if done else "pending",
            "rowCount": export["rows"] if done else None,
            "createdAt": export["createdAt"],
            "finishedAt": export["finishesAt"] if done else None}


DEFAULT_SETTINGS = {"units": "metric", "locale": "en", "pageSize": 20,
                    "notifications": {"email": True, "sms": False},
                    "updatedAt": "2025-01-01T00:00:00Z"}


# ---------------------------------------------------------------------- app

def create_app():
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    fleet = Fleet()
    lock = fleet.lock

    @app.before_request
    def authenticate():
        if request.endpoint in (None, "health") or request.method == "OPTIONS":
            return
        header = request.headers.get("Authorization")
        if FAULT == "depot_delete_open" and header is None and request.endpoint == "delete_depot":
            g.user, g.level = "root", "admin"
            return
        if header is None:
            raise Problem(401, "A bearer token is needed.",
                          headers={"WWW-Authenticate": 'Bearer realm="fleet"'})
        match = re.fullmatch(r"[Bb][Ee][Aa][Rr][Ee][Rr] +(\S+)", header)
        given = match[1].encode("utf-8", "replace") if match else b""
        found = None
        for token, identity in TOKENS.items():
            if hmac.compare_digest(token.encode(), given):
                found = identity
            if FAULT == "token_tail" and token.encode()[:16] == given[:16]:
                found = identity
        if not found:
            raise Problem(401, "The token is not known.", headers={
                "WWW-Authenticate": 'Bearer realm="fleet", error="invalid_token"'})
        g.user, g.level = found

    @app.after_request
    def finish(response):
        if FAULT == "late_auth" and response.status_code == 401 \
                and request.endpoint == "create_depot":
            try:
                create_depot()
            except Problem:
                pass
        if request.method == "OPTIONS" and response.status_code == 200:
            response.status_code = 204
            response.headers.pop("Content-Type", None)
            response.headers.pop("Content-Length", None)
        return response

    @app.errorhandler(Problem)
    def on_problem(err):
        return problem_response(err.status, err.detail, err.errors, err.headers)

    @app.errorhandler(HTTPException)
    def on_http(err):
        headers = {}
        if getattr(err, "valid_methods", None):
            headers["Allow"] = ", ".join(sorted(err.valid_methods))
        return problem_response(err.code or 500, err.description or "", None, headers)

    @app.errorhandler(Exception)
    def on_crash(err):
        app.logger.exception("unexpected")
        return problem_response(500, "Something went wrong.")

    # -- system
    @app.get("/health", endpoint="health")
    def health():
        return reply({"status": "ok", "version": "1.4.0"})

    @app.get("/me")
    def me():
        return reply({"username": g.user, "level": g.level})

    @app.get("/settings")
    def get_settings():
        with lock:
            if FAULT == "settings_shared":
                return reply(fleet.settings.get("", DEFAULT_SETTINGS))
            return reply(fleet.settings.get(g.user, DEFAULT_SETTINGS))

    @app.put("/settings")
    def put_settings():
        data = read_body(SETTINGS)
        with lock:
            fleet.settings[g.user] = {**data, "updatedAt": now()}
            fleet.settings[""] = fleet.settings[g.user]
            return reply(fleet.settings[g.user])

    @app.get("/search")
    def search():
        wanted = query_value("q")
        if not 1 <= len(wanted) <= 64:
            raise invalid([("q", "must have 1 to 64 characters")])
        limit = query_integer("limit", 1, 50, 10)
        folded = wanted.casefold()
        found = []
        with lock:
            for v in fleet.visible(g.user, g.level):
                d = v["data"]
                if any(folded in d[name].casefold() for name in ("plate", "make", "model")):
                    found.append({"kind": "vehicle", "id": v["id"],
                                  "label": f"{d['plate']} {d['make']} {d['model']}"})
            for d in fleet.depots.values():
                if any(folded in d[name].casefold() for name in ("name", "city")):
                    found.append({"kind": "depot", "id": d["id"],
                                  "label": f"{d['name']}, {d['city']}"})
        return reply({"query": wanted, "total": len(found), "items": found[:limit]})

    # -- depots
    @app.get("/depots")
    def list_depots():
        window = page_window()
        with lock:
            return page(list(fleet.depots.values()), window)

    def writable(data):
        return {name: data[name] for name in DEPOT_FIELDS}

    @app.post("/depots")
    def create_depot():
        data = read_body(DEPOT)
        stamp = now()
        depot = {"id": str(uuid.uuid4()), **writable(data), "createdAt": stamp,
                 "updatedAt": stamp}
        with lock:
            fleet.depots[depot["id"]] = depot
            return reply(depot, 201, {"Location": f"/depots/{depot['id']}"})

    @app.get("/depots/<depot_id>")
    def get_depot(depot_id):
        with lock:
            return reply(fleet.depot(depot_id))

    @app.put("/depots/<depot_id>")
    def put_depot(depot_id):
        with lock:
            fleet.depot(depot_id)
        data = read_body(DEPOT)
        with lock:
            depot = fleet.depot(depot_id)
            if FAULT == "depot_put_lost":
                depot = dict(depot)
            depot.update(writable(data), updatedAt=now())
            return reply(depot)

    @app.patch("/depots/<depot_id>")
    def patch_depot(depot_id):
        with lock:
            fleet.depot(depot_id)
        patch = read_body(DEPOT_PATCH, MERGE_PATCH)
        with lock:
            depot = fleet.depot(depot_id)
            merged = {**writable(depot), **patch}
            if patch.get("position") is not None:
                merged["position"] = {**(depot["position"] or {}), **patch["position"]}
            merged = check(DEPOT, merged)
            depot.update(writable(merged), updatedAt=now())
            return reply(depot)

    @app.delete("/depots/<depot_id>")
    def delete_depot(depot_id):
        if g.level != "admin":
            raise Problem(403, "Only admins may delete depots.")
        with lock:
            fleet.depot(depot_id)
            if any(v["data"]["depotId"] == depot_id for v in fleet.vehicles.values()):
                raise Problem(409, "Vehicles are still assigned to the depot.")
            del fleet.depots[depot_id]
        return no_content()

    # -- vehicles
    @app.get("/vehicles")
    def list_vehicles():
        window = page_window()
        status = query_value("status", None)
        if status not in (None, "active", "maintenance", "archived"):
            raise invalid([("status", "must be one of active, maintenance, archived")])
        with lock:
            if FAULT == "pin_listed":
                return page([{**show_vehicle(v), **v["data"]}
                             for v in fleet.visible(g.user, g.level)
                             if status in (None, v["data"]["status"])], window)
            return page([show_vehicle(v) for v in fleet.visible(g.user, g.level)
                         if status in (None, v["data"]["status"])], window)

    @app.post("/vehicles")
    def create_vehicle():
        data = read_body(VEHICLE)
        if FAULT == "plate_race":
            with lock:
                fleet.check_references(data)
            time.sleep(0.05)
            with lock:
                vehicle = fleet.add_vehicle(g.user, data)
                return vehicle_reply(vehicle, 201, {"Location": f"/vehicles/{vehicle['id']}"})
        with lock:
            fleet.check_references(data)
            vehicle = fleet.add_vehicle(g.user, data)
            return vehicle_reply(vehicle, 201, {"Location": f"/vehicles/{vehicle['id']}"})

    @app.get("/vehicles/<vehicle_id>")
    def get_vehicle(vehicle_id):
        with lock:
            vehicle = fleet.vehicle(vehicle_id)
            known = request.headers.get("If-None-Match")
            if known is not None and tag_listed(known, etag(vehicle), weak=True):
                response = Response(status=304, headers={"ETag": etag(vehicle)})
                del response.headers["Content-Type"]
                return response
            return vehicle_reply(vehicle)

    def before_change(vehicle_id, media_type):
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            check_media_type(media_type)
            check_if_match(vehicle)

    @app.put("/vehicles/<vehicle_id>")
    def put_vehicle(vehicle_id):
        before_change(vehicle_id, JSON)
        data = read_body(VEHICLE)
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            check_if_match(vehicle)
            refuse_archived(vehicle)
            if FAULT == "refused_put_writes":
                vehicle["data"] = data
            fleet.check_references(data, vehicle_id)
            vehicle["data"] = data
            fleet.touch(vehicle)
            return vehicle_reply(vehicle)

    @app.patch("/vehicles/<vehicle_id>")
    def patch_vehicle(vehicle_id):
        before_change(vehicle_id, MERGE_PATCH)
        patch = read_body(VEHICLE_PATCH, MERGE_PATCH)
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            check_if_match(vehicle)
            refuse_archived(vehicle)
            merged = {**vehicle["data"], **patch}
            if FAULT == "patch_resets":
                merged = {**merged, **{name: patch.get(name, field.default) for name, field
                                       in VEHICLE_FIELDS.items() if not field.required}}
            fleet.check_references(merged, vehicle_id)
            vehicle["data"] = merged
            fleet.touch(vehicle)
            return vehicle_reply(vehicle)

    @app.delete("/vehicles/<vehicle_id>")
    def delete_vehicle(vehicle_id):
        with lock:
            check_if_match(fleet.vehicle(vehicle_id, write=True))
            del fleet.vehicles[vehicle_id]
        return no_content()

    @app.post("/vehicles/<vehicle_id>/archive")
    def archive_vehicle(vehicle_id):
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            refuse_archived(vehicle)
            vehicle["data"] = {**vehicle["data"], "status": "archived"}
            fleet.touch(vehicle)
            return vehicle_reply(vehicle)

    @app.get("/vehicles/<vehicle_id>/tracker")
    def get_tracker(vehicle_id):
        with lock:
            if FAULT == "tracker_foreign" and vehicle_id in fleet.vehicles:
                tracker = fleet.vehicles[vehicle_id]["tracker"]
            else:
                tracker = fleet.vehicle(vehicle_id)["tracker"]
            if tracker is None:
                raise Problem(404, "The vehicle has no tracker.")
            return reply(tracker)

    @app.put("/vehicles/<vehicle_id>/tracker")
    def put_tracker(vehicle_id):
        with lock:
            fleet.vehicle(vehicle_id, write=True)
        data = read_body(TRACKER)
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            refuse_archived(vehicle)
            fresh = vehicle["tracker"] is None
            vehicle["tracker"] = {**data, "updatedAt": now()}
            if fresh:
                return reply(vehicle["tracker"], 201,
                             {"Location": f"/vehicles/{vehicle_id}/tracker"})
            return reply(vehicle["tracker"])

    # -- trips
    @app.get("/vehicles/<vehicle_id>/trips")
    def list_trips(vehicle_id):
        with lock:
            vehicle = fleet.vehicle(vehicle_id)
            if FAULT == "trips_everywhere":
                return page([t for v in fleet.visible(g.user, g.level)
                             for t in v["trips"].values()], page_window())
            return page([t for t in vehicle["trips"].values()
                         if t["id"] not in fleet.deleted_trips], page_window())

    @app.post("/vehicles/<vehicle_id>/trips")
    def create_trip(vehicle_id):
        with lock:
            fleet.vehicle(vehicle_id, write=True)
        data = read_body(TRIP)
        if data["endedAt"] is not None and instant(data["endedAt"]) < instant(data["startedAt"]):
            raise invalid([("/endedAt", "must not be before startedAt")])
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            refuse_archived(vehicle)
            trip = fleet.add_trip(vehicle, data)
            return reply(trip, 201, {"Location": f"/vehicles/{vehicle_id}/trips/{trip['id']}"})

    @app.get("/vehicles/<vehicle_id>/trips/<trip_id>")
    def get_trip(vehicle_id, trip_id):
        with lock:
            return reply(fleet.trip(fleet.vehicle(vehicle_id), trip_id))

    @app.delete("/vehicles/<vehicle_id>/trips/<trip_id>")
    def delete_trip(vehicle_id, trip_id):
        with lock:
            vehicle = fleet.vehicle(vehicle_id, write=True)
            fleet.trip(vehicle, trip_id)
            refuse_archived(vehicle)
            if FAULT == "deleted_trip_readable":
                fleet.deleted_trips.add(trip_id)
                return no_content()
            del vehicle["trips"][trip_id]
        return no_content()

    # -- exports
    @app.get("/exports")
    def list_exports():
        window = page_window()
        with lock:
            return page([show_export(e) for e in fleet.exports.values()
                         if e["owner"] == g.user], window)

    @app.post("/exports")
    def start_export():
        data = read_body(EXPORT)
        with lock:
            seen = fleet.visible(g.user, g.level)
            rows = {"vehicles": len(seen), "depots": len(fleet.depots),
                    "trips": sum(len(v["trips"]) for v in seen)}[data["resource"]]
            begin = dt.datetime.now(dt.timezone.utc)
            end = begin + dt.timedelta(seconds=EXPORT_SECONDS)
            stamps = [moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
                      for moment in (begin, end)]
            export = {"id": str(uuid.uuid4()), "owner": g.user, **data, "rows": rows,
                      "started": time.monotonic(), "createdAt": stamps[0],
                      "finishesAt": stamps[1]}
            fleet.exports[export["id"]] = export
            return reply(show_export(export), 202,
                         {"Location": f"/exports/{export['id']}", "Retry-After": "1"})

    @app.get("/exports/<export_id>")
    def get_export(export_id):
        with lock:
            return reply(show_export(fleet.export(export_id)))

    @app.delete("/exports/<export_id>")
    def delete_export(export_id):
        with lock:
            fleet.export(export_id)
            del fleet.exports[export_id]
        return no_content()

    return app


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code="-", size="-"):
        pass

    def send_error(self, code, message=None, explain=None):
        """What http.server itself refuses (a broken request line, ...) is a problem as well."""
        code = int(code)
        code = 400 if code >= 500 else code
        doc = json.dumps({"type": "about:blank", "title": "Bad request", "status": code})
        self.send_response(code)
        self.send_header("Content-Type", "application/problem+json")
        self.send_header("Content-Length", str(len(doc)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(doc.encode())


if __name__ == "__main__":
    make_server("127.0.0.1", int(sys.argv[1]), create_app(), threaded=True,
                request_handler=Handler).serve_forever()
