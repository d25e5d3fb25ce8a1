FROM debian:12.5 AS buildbase
FROM debian:12.5 AS final
COPY --from=buildbase --chown=1000 /a /b
COPY --from=0 /a /c
