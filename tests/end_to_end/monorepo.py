"""A shop in one repository: images built on one another by tag, target, service and folder."""

from __future__ import annotations

FILES = {
    "dockstrata.toml": """\
[[build]]
dockerfile = "images/os/Dockerfile"
tags = ["acme/os:12"]
""",
    "docker-bake.hcl": """\
variable "REGISTRY" { default = "acme" }
function "tag" {
  params = [name, version]
  result = ["${REGISTRY}/${name}:${version}"]
}
group "default" { targets = ["node", "onbuild"] }

target "_node" {
  context = "images/node"
  platforms = ["linux/amd64"]
  args = { NODE = "20", TRACE = null }
}
target "node" {
  name = "node-${version}"
  matrix = { version = ["20", "22"] }
  inherits = ["_node"]
  args = { NODE = version }
  tags = tag("node", version)
}
target "onbuild" {
  context = "images/onbuild"
  contexts = { node = "target:node-22" }
  platforms = ["linux/amd64"]
  tags = [for it in tag("node-onbuild", 22) : lower(it)]
}
target "docs" {
  dockerfile = "docs/docs.Dockerfile"
}
target "site" {
  inherits = ["docs"]
  dockerfile = "docs/site.Dockerfile"
}
""",
    "compose.yaml": """\
include:
  - tools/stack.yml
x-api: &api
  context: .
  dockerfile: services/api/Dockerfile
services:
  api:
    build: {<<: *api, args: {MODE: serve}}
  worker:
    build: {<<: *api, args: {MODE: work}}
  api-debug:
    build: {<<: *api, args: {MODE: serve}, target: debug}
  web:
    platform: linux/amd64
    build: services/web
  cart: {build: services/cart}
  mail: {build: services/mail}
  shipping:
    build:
      context: services/shipping
      additional_contexts: {toolchain: "service:toolchain"}
  search:
    build:
      context: services/search
      additional_contexts: [shared=./shared]
""",
    "tools/stack.yml": """\
services:
  toolchain: {build: toolchain}
""",
    "images/os/Dockerfile": """\
FROM debian:12
RUN apt-get update && apt-get install -y ca-certificates
""",
    "images/node/Dockerfile": """\
FROM acme/os:12
ARG NODE
RUN install-node $NODE
""",
    "images/onbuild/Dockerfile": """\
FROM node
WORKDIR /app
ONBUILD COPY package.json ./
ONBUILD RUN npm ci
""",
    "services/web/Dockerfile": """\
FROM acme/node-onbuild:22
RUN npm run build
""",
    "services/api/Dockerfile": """\
# syntax=docker/dockerfile:1
FROM acme/node:20 AS build
WORKDIR /app
COPY --parents packages/**/package.json ./
RUN npm ci
COPY --exclude=*.md --link services/api .
ARG MODE
RUN npm run $MODE

FROM build AS debug
RUN npm install --global inspector

FROM acme/os:12
COPY --from=build --chmod=0755 /app /app
""",
    "services/cart/Dockerfile": """\
# syntax=docker/dockerfile:1
FROM acme/os:12
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d \\
    https://example.com/tool-1.0.tar.gz /opt/
ADD --keep-git-dir=true https://example.com/acme/schema.git#v1.2 /schema
ADD vendor.tar.gz /vendor/
RUN make --directory /schema
COPY cart /app
""",
    "services/mail/Dockerfile": """\
# syntax=docker/dockerfile:1
FROM acme/os:12
ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d \\
    https://example.com/tool-1.0.tar.gz /opt/
ADD --keep-git-dir=true https://example.com/acme/schema.git#v1.2 /schema
ADD vendor.tar.gz /vendor/
RUN make --directory /schema
COPY mail /app
""",
    "services/shipping/Dockerfile": """\
FROM toolchain
RUN make
""",
    "services/search/Dockerfile": """\
FROM debian:12
COPY --from=shared lib /usr/local/lib/shared
RUN --mount=type=bind,from=shared,source=build,target=/build /build/run
""",
    "tools/toolchain/Dockerfile": """\
FROM debian:12
RUN apt-get update && apt-get install -y build-essential
""",
    "docs/docs.Dockerfile": """\
FROM alpine:3.20
RUN apk add --no-cache hugo
COPY docs /src
RUN hugo --source /src
""",
    "docs/site.Dockerfile": """\
FROM alpine:3.20
RUN apk add --no-cache hugo
COPY docs /src
RUN hugo --source /src
""",
    "docs/docs.Dockerfile.dockerignore": "**/*.Dockerfile*\ndrafts\n",
    ".dockerignore": "**/*.Dockerfile*\ndocs/drafts\n",
    "docs/index.md": "hello\n",
    "docs/drafts/next.md": "soon\n",
    "services/web/package.json": "{}\n",
    "packages/a/package.json": "{}\n",
    "packages/a/deep/b/package.json": "{}\n",
    "services/api/main.js": "1\n",
    "services/api/README.md": "api\n",
    "services/cart/vendor.tar.gz": "one archive\n",
    "services/mail/vendor.tar.gz": "one archive\n",
    "services/cart/cart/x": "cart\n",
    "services/mail/mail/x": "mail\n",
    "shared/lib/a.so": "a\n",
    "shared/build/run": "run\n",
}

# Written out by hand: what each image is built on, and how deep it lies.
PARENTS = {
    "images/os/Dockerfile#0": (None, 2),
    "images/node/Dockerfile#0": ("images/os/Dockerfile#0", 3),
    "images/node/Dockerfile#0@node-22": ("images/os/Dockerfile#0", 3),
    "images/onbuild/Dockerfile#0": ("images/node/Dockerfile#0@node-22", 4),
    "services/web/Dockerfile#0": ("images/onbuild/Dockerfile#0", 5),
    "services/api/Dockerfile#build": ("images/node/Dockerfile#0", 4),
    "services/api/Dockerfile#debug": ("services/api/Dockerfile#build", 5),
    "services/api/Dockerfile#2": ("images/os/Dockerfile#0", 3),
    "services/api/Dockerfile#build@worker": ("images/node/Dockerfile#0", 4),
    "services/api/Dockerfile#debug@worker": ("services/api/Dockerfile#build@worker", 5),
    "services/api/Dockerfile#2@worker": ("images/os/Dockerfile#0", 3),
    "services/cart/Dockerfile#0": ("images/os/Dockerfile#0", 3),
    "services/mail/Dockerfile#0": ("images/os/Dockerfile#0", 3),
    "services/shipping/Dockerfile#0": ("tools/toolchain/Dockerfile#0", 3),
    "services/search/Dockerfile#0": (None, 2),
    "tools/toolchain/Dockerfile#0": (None, 2),
    "docs/docs.Dockerfile#0": (None, 2),
    "docs/site.Dockerfile#0": (None, 2),
}
