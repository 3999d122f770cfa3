FROM busybox
ENV old style with  spaces
ENV one=1 two="2 2" three=3\ 3 four='4 4'
ENV five="a \"quoted\" word" six=a\\b seven='it"s'
ENV empty= quoted=""
ENV self=$one-$two one=changed then=$one
ENV PATH=/extra:$PATH
RUN env | grep -v -e HOSTNAME -e SHLVL | sort > /seen
