# syntax=docker/dockerfile:1.4
ARG RUST=1.90
FROM lukemathwalker/cargo-chef:latest-rust-${RUST} AS chef
WORKDIR /app
FROM chef AS planner
COPY . .
RUN cargo chef prepare --recipe-path recipe.json
FROM chef AS builder
COPY --from=planner /app/recipe.json recipe.json
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=secret,id=cargo,target=/root/.cargo/credentials.toml \
    --mount=type=ssh \
    cargo chef cook --release
COPY . .
RUN cargo build --release && strip -s target/release/app
FROM nginx:1.29-alpine AS site
COPY <<'EOF' /etc/nginx/conf.d/default.conf
server {
  listen 80;
  location / { proxy_pass http://$upstream; }
}
EOF
COPY --link --chmod=755 --from=builder /app/target/release/app /usr/bin/
ONBUILD COPY site/ /usr/share/nginx/html/
LABEL org.opencontainers.image.source="https://example.com/r" \
      org.opencontainers.image.licenses='MIT'
