FROM debian:bookworm-slim
RUN set -eux; \
	groupadd -r db --gid=999; \
	useradd -r -g db --uid=999 --home-dir=/var/lib/db --shell=/bin/bash db; \
	mkdir -p /var/lib/db; \
	chown -R db:db /var/lib/db
ENV GOSU_VERSION 1.17
RUN set -eux; \
	dpkgArch="$(dpkg --print-architecture | awk -F- '{ print $NF }')"; \
	case "$dpkgArch" in \
		amd64) sum='abc' ;; \
# arm too
		arm64) sum='def' ;; \
		*) echo >&2 "unsupported $dpkgArch"; exit 1 ;; \
	esac; \
	\
	echo "$sum  /bin/gosu" | sha256sum -c -
RUN mkdir /docker-entrypoint-initdb.d
ENV PG_MAJOR 17
ENV PATH $PATH:/usr/lib/db/$PG_MAJOR/bin
VOLUME /var/lib/db/data
COPY docker-entrypoint.sh docker-ensure-initdb.sh /usr/local/bin/
RUN ln -sT docker-ensure-initdb.sh /usr/local/bin/docker-enforce-initdb.sh
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["db"]
