FROM debian
MAINTAINER Someone <some@one.example>
USER $UID:${GID:-100}
WORKDIR /srv/with blank/
STOPSIGNAL SIGQUIT
EXPOSE 80 443/tcp 53/udp 8000-8010 $PORT
VOLUME /data /var/log
VOLUME ["/a", "/b c"]
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
HEALTHCHECK --interval=1m30s --timeout=5s --start-period=10s --start-interval=500ms --retries=4 CMD curl -f http://localhost/ || exit 1
HEALTHCHECK CMD ["/check", "it"]
HEALTHCHECK NONE
