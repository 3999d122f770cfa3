FROM --platform=$BUILDPLATFORM golang:1.25 AS build
WORKDIR /src
RUN --mount=type=cache,target=/go/pkg/mod/ --mount=type=bind,target=. \
    go mod download -x
ARG TARGETOS TARGETARCH
RUN --mount=type=cache,target=/go/pkg/mod/ \
    --mount=type=cache,target=/root/.cache/go-build,id=gobuild-${TARGETARCH} \
    --mount=type=bind,target=. <<EOT
  set -eux
  CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH go build -ldflags '-s -w' -o /bin/server ./cmd/server
EOT
FROM build AS test
RUN --mount=type=bind,target=. go test ./...
FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /bin/server /bin/
USER 65532:65532
ENTRYPOINT ["/bin/server"]
