// drover-agent
