ARG KIND=a
# hadolint ignore=DL3006
FROM ${KIND} AS base

# something

FROM base AS next
