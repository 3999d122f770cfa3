FROM debian
LABEL org.example.version="1.0" description="line \
joined" multi.a=1 \
      multi.b=2
LABEL legacy value with blanks
LABEL "com.example vendor"='ACME "Inc"'
