# VERSION of the base
ARG VERSION=1
FROM debian
# USER who runs it
# GROUP and with whom
ARG USER GROUP=staff EMPTY= QUOTED="a b"
ARG VERSION
