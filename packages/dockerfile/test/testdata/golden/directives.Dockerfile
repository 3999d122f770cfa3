# syntax = docker/dockerfile:1.7-labs
# ESCAPE=`
# check = skip=JSONArgsRecommended;error=true
# other
# escape=\

FROM a`
 AS b
RUN <<X
one
X
  # indented comment
	RUN x
