FROM busybox
ENV ONE=1
ARG TWO=2
RUN echo "$ONE $TWO $PATH $HOME $PWD" > /seen; env | cut -d= -f1 | grep -v -e HOSTNAME -e SHLVL -e PWD | sort > /names
USER cook
RUN echo "$HOME $(id -u):$(id -g) $(id -G)" > /tmp/cook
