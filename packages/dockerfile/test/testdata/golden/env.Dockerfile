FROM debian
ENV A=1 B="two words" C='single $quoted' D=es\ caped E=
ENV OLD the rest  of "the" line \
    goes on
ENV PATH=/opt/bin:$PATH \
    LONG="${A:-x y}" \
    # a comment
    LAST=#none
ENV "Q U"=v
