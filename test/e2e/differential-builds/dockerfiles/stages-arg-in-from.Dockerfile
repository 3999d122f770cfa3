ARG KIND=b
FROM busybox AS stage-a
RUN echo a > /kind
FROM busybox AS stage-b
RUN echo b > /kind
FROM stage-${KIND}
COPY --from=stage-a /kind /other
