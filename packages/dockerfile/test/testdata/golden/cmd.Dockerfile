FROM debian
CMD ["nginx", "-g", "daemon off;"]
CMD exec top -b
CMD []
CMD
ENTRYPOINT ["/init"]
ENTRYPOINT exec "$0" && true
entrypoint []
