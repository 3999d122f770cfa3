# escape=`
FROM busybox
RUN echo one `
  two > /file
# not a comment of the shell
ENV A=a`$b B="x`"y" C=c:\dir
LABEL path=C:\dir`ectory
