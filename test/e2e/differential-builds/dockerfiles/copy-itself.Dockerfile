FROM scratch
COPY Dockerfile .dockerignore* /
