FROM busybox
ENV x=outer
RUN x=inner; echo "$x" > /seen
RUN echo \$x '$x' >> /seen
CMD echo $x
