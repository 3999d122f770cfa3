FROM busybox
RUN echo "shell $HOME" > /shell
RUN ["/bin/sh", "-c", "echo exec $0 $# > /exec", "zero", "one"]
RUN [ "touch" , "/spaced out" ]
RUN echo $((1+2)) > "/a b"; echo '$HOME' >> "/a b"
