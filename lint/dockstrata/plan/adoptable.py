"""Images of the set that others may move onto."""

from __future__ import annotations

from dockstrata.meaning.images import ImageSet
from dockstrata.meaning.library import Library


def adoptable_images(images: ImageSet, library: Library) -> dict[str, str]:
    """dockstrata's bases, and what others are built on: by id, what they are called after FROM."""
    parents = {image.below.id for image in images.images if image.below is not None}
    stages = {id(image.stage): image for image in images.images}
    found: dict[str, str] = {}
    for reference, product in library.products.items():
        if reference.startswith(("service:", "target:")):
            continue
        stage = library.resolve(reference)
        image = stages.get(id(stage)) if stage is not None else None
        if image is not None and (product.path in library.marked or image.id in parents):
            found.setdefault(image.id, product.reference)
    return found
