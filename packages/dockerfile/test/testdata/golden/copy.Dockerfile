FROM debian
COPY . /src/
COPY --from=build --chown=app:$GID --chmod=u=rwX,go=rX --link /out/* /usr/local/bin/
COPY --parents --exclude=*.md --exclude="**/test data" a/./b c/ /dst/
COPY --link=false ["with blank", "and \"quote\"", "/to here/"]
COPY <<EOF <<'raw.txt' plain.txt /etc/app/
value=$VALUE
EOF
$kept as is
raw.txt
COPY <<-config.ini /etc/
	[section]
		key = 1
	config.ini
COPY "quotes stay" /x
