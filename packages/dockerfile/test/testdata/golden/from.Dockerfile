# syntax=docker/dockerfile:1
ARG VERSION=12 VARIANT
FROM debian:${VERSION}${VARIANT:+-$VARIANT}
FROM --platform=$BUILDPLATFORM registry.example:5000/team/app@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 AS Build-1.x_y
from scratch as empty
FROM \
  # which one
  busybox \
  AS \
  last
