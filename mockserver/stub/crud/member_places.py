"""Places of request members in items that have them one level down: `Image` in its `Config`, `name` in `attributes`."""

from __future__ import annotations

from mockserver.contract.resources.shapes import Shape
from mockserver.stub.crud.representation import Item

#: Members from which an object is more than a pair of values.
_SEVERAL = 3


class MemberPlaces:
    """Where members of the requests of one operation stand in its items."""

    def __init__(self, shape: Shape | None, settable: frozenset[str]) -> None:
        """Prepare for requests with some members, and for items of a shape, None if it is unknown."""
        places: dict[str, list[str]] = {}
        for name in shape.names if shape is not None else ():
            member = shape.member(name) if shape is not None else None
            names = member.names if member is not None else ()
            # Most of a request in one member: it is there what was sent, whatever the item has of the same names.
            is_sent = len(names) >= _SEVERAL and 5 * len(settable.intersection(names)) >= 4 * len(names)
            for below in names:
                if is_sent or (shape is not None and below not in shape.names):
                    places.setdefault(below, []).append(name)
        self._places = {name: places[name][0] for name in settable if len(places.get(name, ())) == 1}

    def placed(self, item: Item, body: Item) -> Item:
        """Return an item with the members of a request where the item has them."""
        moved = [name for name in self._places if name in body]
        if not moved:
            return item
        item = dict(item)
        for name in moved:
            place = self._places[name]
            around = item.get(place)
            item[place] = {**(around if isinstance(around, dict) else {}), name: body[name]}
        return item
