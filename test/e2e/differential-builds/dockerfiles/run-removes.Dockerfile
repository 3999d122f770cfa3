FROM busybox
RUN rm -r /home/cook /etc/plain && mkdir /dir && echo a > /dir/a && echo b > /dir/b && mkdir /dir/sub && echo c > /dir/sub/c
RUN rm /dir/a && rm -r /dir/sub
RUN rm -r /dir && mkdir /dir && echo new > /dir/new
