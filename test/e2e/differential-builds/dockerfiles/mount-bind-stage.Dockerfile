FROM busybox AS made
RUN mkdir /o && echo made > /o/f
FROM busybox
RUN --mount=type=bind,from=made,src=/o/f,dst=/one cat /one > /seen
RUN --mount=from=made,target=/all cat /all/o/f >> /seen
