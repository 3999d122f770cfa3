FROM busybox
RUN <<EOF
echo one > /seen
echo "two $HOME" >> /seen
EOF
RUN <<-'END'
	echo tabs > /tabs
		echo '$deeper' >> /tabs
	END
