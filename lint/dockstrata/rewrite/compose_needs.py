"""What the services of compose files must be built after: bases, and images of the set on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dockstrata.load.wiring import Build
from dockstrata.meaning.images_named import images_named
from dockstrata.meaning.library import BuildKey, Library
from dockstrata.meaning.stage import canonical_image
from dockstrata.syntax.reference import context_name

_IMAGE = "docker-image://"


@dataclass(frozen=True, slots=True)
class Needs:
    """The set after a refactoring, asked what is built on what."""

    library: Library
    _on_base: dict[BuildKey, bool] = field(default_factory=dict)

    def build(self, needed: BuildKey) -> Build:
        return self.library.builds[needed.path][needed.build]

    def reference(self, needed: BuildKey) -> str:
        """What others call it."""
        marked = self.library.marked.get(needed.path)
        if marked is not None:
            return marked
        products = self.library.products.values()
        named = (it.reference for it in products if it.reference and it.key == needed)
        return min(named, default=needed.path)

    def is_base(self, needed: BuildKey) -> bool:
        return needed.path in self.library.marked

    def of(self, build: Build, there: Iterable[BuildKey] = ()) -> Iterator[tuple[str, BuildKey]]:
        """What a build names, in the order of the names, each a named context: bases, images on
        bases, its own contexts, and what is ``there`` as a service. Nothing for what has no base.
        """
        found = dict(sorted(self._named(build), key=lambda item: item[0]))
        known, given = set(there), dict(build.contexts)
        marked = build.dockerfile in self.library.marked
        if marked or any(map(self.stands_on_base, found.values())):
            for name, needed in found.items():
                if needed in known or name in given or self.stands_on_base(needed):
                    yield name, needed

    def stands_on_base(self, needed: BuildKey) -> bool:
        """Whether it is a base, or is built after one."""
        if needed not in self._on_base:
            self._on_base[needed] = self.is_base(needed)  # meanwhile: a circle ends here
            below = [other for _, other in self._named(self.build(needed))]
            self._on_base[needed] |= any(map(self.stands_on_base, below))
        return self._on_base[needed]

    def made_by(self, build: Build) -> set[BuildKey]:
        """What others may name that a service with this build makes."""
        if build.dockerfile in self.library.marked:
            return {BuildKey(build.dockerfile)}
        products = (self.library.products.get(canonical_image(tag)) for tag in build.tags)
        return {
            product.key
            for product in products
            if product is not None and product.path == build.dockerfile
        }

    def _named(self, build: Build) -> Iterator[tuple[str, BuildKey]]:
        """All images of the set that a Dockerfile names, by what BuildKit asks for."""
        document, products = self.library.documents[build.dockerfile], self.library.products
        # What an argument names is not followed: to us its value belongs to whoever builds.
        named = [(image, products.get(image)) for image in images_named(document)]
        found = [(context_name(it.reference or image), it) for image, it in named if it]
        for name, value in build.contexts:
            image = value.removeprefix(_IMAGE)
            if product := products.get(value if image == value else canonical_image(image)):
                found.append((name, product))
        for name, product in found:
            if product.path != build.dockerfile:
                yield name, product.key
