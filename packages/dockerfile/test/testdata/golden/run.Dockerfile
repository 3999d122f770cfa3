FROM debian
RUN apt-get update && \
    # a comment between
    apt-get install -y curl \

    git
RUN ["/bin/echo", "a \"b\" \u00e9", "c\\d"]
RUN [ -e /x ] || true
RUN ["broken", 'json']
RUN --mount=type=cache,target=/root/.npm,sharing=locked --mount=type=secret,id=token,required --network=none \
    --security=insecure --device=vendor.com/gpu=all,required npm ci
RUN --mount="type=bind,from=build,source=/a,target=/b c,rw" -- --not-a-flag
RUN <<EOF
set -e
echo $HOME
EOF
RUN <<-"SCRIPT" 3<<'OTHER' cat /dev/fd/3
	indented
	SCRIPT
three
OTHER
RUN cat <<EOF > /a && \
    cat << EOF2 > /b
a
EOF
b
EOF2
RUN
run echo lower
