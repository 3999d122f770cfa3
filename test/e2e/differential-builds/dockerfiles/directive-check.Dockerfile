# check=skip=all
FROM busybox AS Upper
MAINTAINER cook <cook@example.com>
CMD echo hi
