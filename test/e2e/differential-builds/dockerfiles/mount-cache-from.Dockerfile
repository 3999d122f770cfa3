FROM busybox AS made
RUN mkdir /o && echo seed > /o/f
FROM busybox
RUN --mount=type=cache,from=made,source=/o,target=/cache cat /cache/f > /seen && echo more >> /cache/f
RUN --mount=type=cache,target=/ro,readonly ! touch /ro/x
