FROM scratch
ADD --unpack=false archive.tar /packed/
ADD --unpack archive.tar.gz /unpacked/
