"""Behaviours of MailUsers created by migrating e-mail from another server (am_user_get, am_user_post).

The source server is not asked: a stub has none, so every old password is right.
"""

from __future__ import annotations

from typing import Any

from mockserver.builtin.mailcheap.accounts import add_account
from mockserver.builtin.mailcheap.records import MAIL_USER, MIGRATIONS, is_administrator_of
from mockserver.plugins import Call, Outcome, Record, behaviour, content_of, success, under_way, whole

#: How long a migration can be come back to, in seconds: thirty days; no page says it.
EXPIRY_SECONDS = 30 * 86_400


@behaviour("migration", "list", trusted=True)
def list_migrations(call: Call) -> Outcome:
    """List, by name, the users that were created by migration and that the caller administers."""
    users = [
        _shown(call, username, record)
        for username, record in sorted(call.transaction.items(MIGRATIONS).items())
        if is_administrator_of(call, username)
    ]
    return success({"automigration_users": users}, f"{len(users)} migrated users")


@behaviour("migration", "create", trusted=True)
def create_migration(call: Call) -> Outcome:
    """Create a MailUser, which can log in at once, and start the migration of its e-mail."""
    content = content_of(call)
    username = content["username"]
    add_account(call, {**whole(content), "password": content["new_password"], "api_access": 1, "enabled": 1}, MAIL_USER)
    call.transaction.put(
        MIGRATIONS,
        username,
        {
            "status": "migrated",
            "message": "success with no errors",
            "since": call.now,
            "expire_time": int(call.now) + EXPIRY_SECONDS,
            "added_by": call.caller.username,
        },
    )
    return success({"username": username}, "account created, migration started")


def _shown(call: Call, username: str, record: Record) -> dict[str, Any]:
    """Return a user's migration in the form that a list shows; it runs for as long as a setting takes to be applied."""
    since = record.get("since")
    running = since is not None and under_way(call, since)
    status = "migrating" if running else record["status"]
    message = "migration is running" if running else record["message"]
    return {"expire_time": record["expire_time"], "status": status, "message": message, "username": username}
