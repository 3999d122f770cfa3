FROM busybox
RUN touch "/sp ace" "/smörgås" '/quo"te' "/back\\slash" "/$(printf 'new\nline')" /-rf && mkdir /.hidden && touch /.hidden/..data "/*"
