FROM scratch
ADD <<EOF /made/by/add
content
EOF
COPY <<-EOF hello.txt /mixed/
	no tabs
EOF
