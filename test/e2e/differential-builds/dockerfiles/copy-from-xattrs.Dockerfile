FROM scratch AS made
ADD attributed.tar /
FROM scratch
COPY --from=made / /all/
