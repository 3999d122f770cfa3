FROM scratch
LABEL only=metadata
ENV A=b
