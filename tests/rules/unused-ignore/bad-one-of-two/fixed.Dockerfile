# dockstrata ignore=DL3007 we follow it
FROM debian:latest
