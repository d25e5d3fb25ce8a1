FROM debian:12.5 AS base
CMD ["from-parent"]
FROM base
CMD ["b"]
ENTRYPOINT ["c"]
# a comment that stays
HEALTHCHECK NONE
