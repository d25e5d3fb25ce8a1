"""Facts about a set that few rules ask for, each looked up when it is asked for first."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from dockstrata.load.context import ContextError, ignore_file_for
from dockstrata.load.generated import list_directory, read_text
from dockstrata.load.ignorefile import IgnoreFile
from dockstrata.load.names import is_bake_name
from dockstrata.load.wiring import Build
from dockstrata.meaning.images import ImageSet
from dockstrata.meaning.library import Library
from dockstrata.parents import Lookups, Parents
from dockstrata.plan.settings import PlanSettings

if TYPE_CHECKING:  # loaded where they are asked for
    from dockstrata.meaning.repository import Generated
    from dockstrata.plan.model import Plan


class Facts:
    """How the set is built, which files programs write, what a plan would make of it."""

    def __init__(
        self, library: Library, images: ImageSet, parents: Parents, settings: PlanSettings
    ) -> None:
        """``parents`` finds the bases that lie outside the files looked at."""
        self.library = library
        self.images = images
        self.parents = parents
        self.settings = settings
        self.lookups = Lookups()

    @cached_property
    def generated(self) -> Mapping[str, Generated]:
        """By path, the Dockerfiles that a program writes."""
        from dockstrata.meaning.repository import generated_files

        return generated_files(self.library.documents.values())

    def ignore_file(self, build: Build) -> IgnoreFile | None:
        """The ignore file that counts in a build; ``None`` without one that can be read."""
        try:
            return ignore_file_for(build.context, build.dockerfile)
        except ContextError:
            return None

    def platforms(self, build: Build, context: str) -> frozenset[str] | None:
        """Platforms (``os/architecture``) of the OCI layout that a build's named context is.

        ``None`` for another context, and for a layout that does not tell.
        """
        if not context.startswith("oci-layout://"):
            return None
        from dockstrata.load.oci_layout import layout_platforms

        return layout_platforms(context, os.path.dirname(build.origin), ".")

    @cached_property
    def plans(self) -> tuple[Plan, ...]:
        """What ``dockstrata plan`` would propose, less its proof. Generated files are left out.

        One plan a tier: on external roots, on images of the set, then stages inside one file. An
        image is in one of them at most.
        """
        from dockstrata.plan.adoptable import adoptable_images
        from dockstrata.plan.candidates import tiers
        from dockstrata.plan.model import Refusal
        from dockstrata.plan.planner import Placement, make_plan

        excluded = {
            image.id: Refusal(image.id, "generated", self.generated[image.path].reason)
            for image in self.images.images
            if image.path in self.generated
        }
        adoptable = adoptable_images(self.images, self.library)
        limit = self.settings.max_depth
        depths = {image.id: image.depth for image in self.images.images}
        found: list[Plan] = []
        for tier in tiers(limit):
            able = [i for i in self.images.images if i.id not in excluded and tier.takes(i)]
            if len(able) < 2 and not adoptable:
                continue
            plan = make_plan(
                self.images, self.settings, Placement(), excluded, adoptable, tier=tier
            )
            found.append(plan)
            for image in self.images.images:
                depths[image.id] += plan.depth_after[image.id] - image.depth
                if image.id in plan.base_of:
                    excluded[image.id] = Refusal(image.id, "moved", "is on a base already")
                elif depths[image.id] >= limit:
                    excluded.setdefault(
                        image.id, Refusal(image.id, "depth-limit", "its parent gets deeper")
                    )
        return tuple(found)

    def mentions_target(self, build: Build, name: str) -> bool:
        """Whether the bake files beside a build's own may have a target of that name."""
        folder = os.path.dirname(build.origin) or "."
        names = {os.path.basename(build.origin), *filter(is_bake_name, list_directory(folder))}
        texts = [read_text(os.path.join(folder, it)) for it in names]
        pattern = re.compile(rf"(?<!target:)(?<![\w.-]){re.escape(name)}(?![\w.-])")
        # A matrix makes names that are nowhere written.
        return any("matrix" in text or pattern.search(text) for text in texts)

    def builds(self, path: str, reference: str) -> bool:
        """Whether the set, or a base in a folder above ``path``, builds an image reference."""
        if reference in self.library.products:
            return True
        resolve = self.parents.resolver(self.library.documents[path], self.lookups)
        return resolve(reference) is not None
