FROM busybox
ENV dir=/made file=hello.txt user=cook port=81 signal=SIGUSR1 name=key
WORKDIR $dir/work
COPY $file ${dir}/
ADD ${file} $dir/added
EXPOSE $port
LABEL $name="of $user"
VOLUME $dir/volume ${dir}/other
STOPSIGNAL $signal
USER $user
CMD ["echo", "$dir"]
ENTRYPOINT ["$dir"]
